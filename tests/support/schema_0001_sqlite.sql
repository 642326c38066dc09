-- The tables that revision 0001 made on SQLite, as `sqlite3 .schema` printed them.
CREATE TABLE backtests (
	id TEXT NOT NULL, 
	spec JSON NOT NULL, 
	document TEXT NOT NULL, 
	equity_key TEXT NOT NULL, 
	orders_key TEXT NOT NULL, 
	holdings_key TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_backtests_created_at ON backtests (created_at, id);
CREATE TABLE corporate_actions (
	ticker TEXT NOT NULL, 
	ex_date DATE NOT NULL, 
	kind TEXT NOT NULL, 
	known_at DATETIME NOT NULL, 
	value DOUBLE, 
	source TEXT NOT NULL, 
	PRIMARY KEY (ticker, ex_date, kind, known_at), 
	CONSTRAINT ck_corporate_actions_kind CHECK (kind IN ('split', 'dividend')), 
	CONSTRAINT ck_corporate_actions_value CHECK (value > 0 AND value < 1e15)
);
CREATE TABLE idempotency_keys (
	"key" TEXT NOT NULL, 
	request_hash TEXT NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE index_constituents (
	index_name TEXT NOT NULL, 
	ticker TEXT NOT NULL, 
	start_date DATE NOT NULL, 
	known_at DATETIME NOT NULL, 
	end_date DATE, 
	PRIMARY KEY (index_name, ticker, start_date, known_at), 
	CONSTRAINT ck_index_constituents_span CHECK (end_date >= start_date)
);
CREATE TABLE ingest_runs (
	id TEXT NOT NULL, 
	universe_key TEXT NOT NULL, 
	source TEXT NOT NULL, 
	status TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	lookback_days INTEGER, 
	tickers INTEGER NOT NULL, 
	rows_in INTEGER DEFAULT 0 NOT NULL, 
	inserted INTEGER DEFAULT 0 NOT NULL, 
	changed INTEGER DEFAULT 0 NOT NULL, 
	unchanged INTEGER DEFAULT 0 NOT NULL, 
	quarantined INTEGER DEFAULT 0 NOT NULL, 
	failed INTEGER DEFAULT 0 NOT NULL, 
	error TEXT, 
	PRIMARY KEY (id), 
	CONSTRAINT ck_ingest_runs_status CHECK (status IN ('running', 'succeeded', 'partial', 'failed', 'interrupted'))
);
CREATE INDEX ix_ingest_runs_universe ON ingest_runs (universe_key, started_at);
CREATE TABLE jobs (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	status TEXT NOT NULL, 
	payload JSON NOT NULL, 
	result JSON, 
	error TEXT, 
	progress DOUBLE DEFAULT 0 NOT NULL, 
	attempts INTEGER DEFAULT 0 NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT ck_jobs_status CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')), 
	CONSTRAINT ck_jobs_progress CHECK (progress >= 0 AND progress <= 1)
);
CREATE INDEX ix_jobs_status ON jobs (status, created_at);
CREATE TABLE leases (
	name TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	expires_at DATETIME NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE market_data (
	ticker TEXT NOT NULL, 
	date DATE NOT NULL, 
	open DOUBLE, 
	high DOUBLE, 
	low DOUBLE, 
	close DOUBLE NOT NULL, 
	volume DOUBLE, 
	adjusted_close DOUBLE, 
	source TEXT NOT NULL, 
	data_quality TEXT DEFAULT 'good' NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	metadata JSON DEFAULT '{}' NOT NULL, 
	known_at DATETIME NOT NULL, 
	PRIMARY KEY (ticker, date), 
	CONSTRAINT ck_market_data_low CHECK (low <= open AND low <= close AND low <= high), 
	CONSTRAINT ck_market_data_high CHECK (high >= open AND high >= close), 
	CONSTRAINT ck_market_data_open CHECK (open > 0 AND open < 1e15), 
	CONSTRAINT ck_market_data_low_positive CHECK (low > 0 AND low < 1e15), 
	CONSTRAINT ck_market_data_high_positive CHECK (high > 0 AND high < 1e15), 
	CONSTRAINT ck_market_data_close CHECK (close > 0 AND close < 1e15), 
	CONSTRAINT ck_market_data_volume CHECK (volume >= 0 AND volume < 1e18), 
	CONSTRAINT ck_market_data_quality CHECK (data_quality IN ('good', 'suspect', 'bad'))
);
CREATE INDEX ix_market_data_known_at ON market_data (known_at);
CREATE TABLE market_data_history (
	ticker TEXT NOT NULL, 
	date DATE NOT NULL, 
	known_at DATETIME NOT NULL, 
	superseded_at DATETIME NOT NULL, 
	open DOUBLE, 
	high DOUBLE, 
	low DOUBLE, 
	close DOUBLE NOT NULL, 
	volume DOUBLE, 
	adjusted_close DOUBLE, 
	source TEXT NOT NULL, 
	data_quality TEXT NOT NULL, 
	metadata JSON NOT NULL, 
	PRIMARY KEY (ticker, date, known_at, superseded_at)
);
CREATE TABLE trades (
	id TEXT NOT NULL, 
	ticker TEXT NOT NULL, 
	side TEXT NOT NULL, 
	quantity DOUBLE NOT NULL, 
	entry_date DATE NOT NULL, 
	entry_price DOUBLE NOT NULL, 
	exit_date DATE, 
	exit_price DOUBLE, 
	fees DOUBLE DEFAULT 0 NOT NULL, 
	currency TEXT NOT NULL, 
	strategy TEXT, 
	notes TEXT, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	updated_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT ck_trades_side CHECK (side IN ('long', 'short')), 
	CONSTRAINT ck_trades_quantity CHECK (quantity > 0 AND quantity < 1e15), 
	CONSTRAINT ck_trades_entry_price CHECK (entry_price > 0 AND entry_price < 1e15), 
	CONSTRAINT ck_trades_exit_price CHECK (exit_price > 0 AND exit_price < 1e15), 
	CONSTRAINT ck_trades_exit CHECK ((exit_date IS NULL) = (exit_price IS NULL) AND exit_date >= entry_date), 
	CONSTRAINT ck_trades_fees CHECK (fees >= 0 AND fees < 1e15), 
	CONSTRAINT ck_trades_currency CHECK (length(currency) = 3)
);
CREATE INDEX ix_trades_ticker ON trades (ticker, entry_date);
CREATE TABLE trials (
	backtest_id TEXT NOT NULL, 
	strategy TEXT NOT NULL, 
	universe TEXT NOT NULL, 
	origin TEXT NOT NULL, 
	n_returns INTEGER NOT NULL, 
	mean DOUBLE, 
	std DOUBLE, 
	skewness DOUBLE, 
	kurtosis DOUBLE, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (backtest_id), 
	CONSTRAINT ck_trials_origin CHECK (origin IN ('http', 'cli', 'sweep'))
);
CREATE INDEX ix_trials_strategy ON trials (strategy, created_at);
CREATE TABLE universes (
	"key" TEXT NOT NULL, 
	name TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	calendar TEXT NOT NULL, 
	benchmark TEXT, 
	source TEXT NOT NULL, 
	source_options JSON NOT NULL, 
	created_at DATETIME DEFAULT CURRENT_TIMESTAMP NOT NULL, 
	PRIMARY KEY ("key"), 
	CONSTRAINT ck_universes_currency CHECK (length(currency) = 3)
);
CREATE TABLE ingest_failures (
	id INTEGER NOT NULL, 
	run_id TEXT NOT NULL, 
	ticker TEXT NOT NULL, 
	date DATE, 
	error_class TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	payload JSON NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT ck_ingest_failures_class CHECK (error_class IN ('RATE_LIMIT', 'TIMEOUT', 'NETWORK', 'NOT_FOUND', 'DELISTED', 'BAD_DATA')), 
	FOREIGN KEY(run_id) REFERENCES ingest_runs (id)
);
CREATE INDEX ix_ingest_failures_run ON ingest_failures (run_id);
CREATE TRIGGER market_data_restated AFTER UPDATE ON market_data FOR EACH ROW
    WHEN OLD.open IS NOT NEW.open OR OLD.high IS NOT NEW.high OR OLD.low IS NOT NEW.low
        OR OLD.close IS NOT NEW.close OR OLD.volume IS NOT NEW.volume
    BEGIN 
    INSERT INTO market_data_history (ticker, date, known_at, superseded_at, open, high, low, close, volume,
                                     adjusted_close, source, data_quality, metadata)
    VALUES (OLD.ticker, OLD.date, OLD.known_at, NEW.known_at, OLD.open, OLD.high, OLD.low, OLD.close,
            OLD.volume, OLD.adjusted_close, OLD.source, OLD.data_quality, OLD.metadata);
 END;
CREATE TRIGGER market_data_removed AFTER DELETE ON market_data FOR EACH ROW
    BEGIN 
    INSERT INTO market_data_history (ticker, date, known_at, superseded_at, open, high, low, close, volume,
                                     adjusted_close, source, data_quality, metadata)
    VALUES (OLD.ticker, OLD.date, OLD.known_at, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000', OLD.open, OLD.high, OLD.low, OLD.close,
            OLD.volume, OLD.adjusted_close, OLD.source, OLD.data_quality, OLD.metadata);
 END;
CREATE TRIGGER trials_no_update BEFORE UPDATE ON trials
    BEGIN SELECT RAISE(ABORT, 'trials is append-only'); END;
CREATE TRIGGER trials_no_delete BEFORE DELETE ON trials
    BEGIN SELECT RAISE(ABORT, 'trials is append-only'); END;
