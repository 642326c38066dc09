-- The schema of Potential Parakeet on PostgreSQL 15 or newer, as it is at the newest revision. Alembic's first revision
-- executes this file, later ones bring older databases to it; on SQLite backend/database/models.py makes the same tables.
-- Tests prove that all of them agree.
--
-- Two clocks: `date`, `ex_date`, `start_date` say the session a fact describes, `known_at` (UTC) when we learned it.
-- Prices are float64, as traded, in the quote currency of the ticker; volume is in shares.

-- Append-only versions: of one key the newest with known_at <= as_of holds. `kind` is what its members are where their
-- source does not say; `list_date` is the date of the list they were taken from.
CREATE TABLE universes (
    key            text NOT NULL,
    known_at       timestamptz NOT NULL,
    name           text NOT NULL,
    kind           text NOT NULL DEFAULT 'equity',
    currency       text NOT NULL,
    calendar       text NOT NULL,
    benchmark      text,
    source         text NOT NULL,
    source_options jsonb NOT NULL,
    list_date      date,
    PRIMARY KEY (key, known_at),
    CONSTRAINT ck_universes_currency CHECK (length(currency) = 3),
    CONSTRAINT ck_universes_kind CHECK (kind IN ('equity', 'etf', 'index', 'fx', 'crypto', 'fund'))
);

-- What facts are about. `id` is what they are stored under (`market_data.ticker`, `corporate_actions.ticker`) and never
-- changes; `symbol` is the first one that the instrument bore, from start_date (NULL: since ever) on. Later symbols are
-- corporate actions, so a symbol that two companies bore one after the other never joins them.
CREATE TABLE instruments (
    id         text PRIMARY KEY,
    symbol     text NOT NULL,
    start_date date,
    kind       text NOT NULL,
    currency   text NOT NULL,
    calendar   text NOT NULL,
    name       text,
    known_at   timestamptz NOT NULL,
    CONSTRAINT ck_instruments_currency CHECK (length(currency) = 3),
    CONSTRAINT ck_instruments_kind CHECK (kind IN ('equity', 'etf', 'index', 'fx', 'crypto', 'fund'))
);
CREATE INDEX ix_instruments_symbol ON instruments (symbol);

-- Append-only versions: of one (index_name, ticker, start_date) the newest with known_at <= as_of holds.
CREATE TABLE index_constituents (
    index_name text NOT NULL,
    ticker     text NOT NULL,
    start_date date NOT NULL,
    known_at   timestamptz NOT NULL,
    end_date   date,
    withdrawn  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (index_name, ticker, start_date, known_at),
    CONSTRAINT ck_index_constituents_span CHECK (end_date >= start_date)
);

-- The newest version of each bar. A NULL open, high, low or volume means that the source has no such field.
CREATE TABLE market_data (
    ticker         text NOT NULL,
    date           date NOT NULL,
    open           double precision,
    high           double precision,
    low            double precision,
    close          double precision NOT NULL,
    volume         double precision,
    adjusted_close double precision,
    source         text NOT NULL,
    data_quality   text NOT NULL DEFAULT 'good',
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    metadata       jsonb NOT NULL DEFAULT '{}',
    known_at       timestamptz NOT NULL,
    PRIMARY KEY (ticker, date),
    CONSTRAINT ck_market_data_low CHECK (low <= open AND low <= close AND low <= high),
    CONSTRAINT ck_market_data_high CHECK (high >= open AND high >= close),
    -- PostgreSQL sorts NaN above every number: the upper bound keeps NaN and infinity out.
    CONSTRAINT ck_market_data_open CHECK (open > 0 AND open < 1e15),
    CONSTRAINT ck_market_data_low_positive CHECK (low > 0 AND low < 1e15),
    CONSTRAINT ck_market_data_high_positive CHECK (high > 0 AND high < 1e15),
    CONSTRAINT ck_market_data_close CHECK (close > 0 AND close < 1e15),
    CONSTRAINT ck_market_data_volume CHECK (volume >= 0 AND volume < 1e18),
    CONSTRAINT ck_market_data_quality CHECK (data_quality IN ('good', 'suspect', 'bad'))
);
-- Rows come in the order in which they become known: block ranges find them, and cost an ingest nothing.
CREATE INDEX ix_market_data_known_at ON market_data USING brin (known_at);

-- Every superseded version of a bar, true from known_at until superseded_at.
CREATE TABLE market_data_history (
    ticker         text NOT NULL,
    date           date NOT NULL,
    known_at       timestamptz NOT NULL,
    superseded_at  timestamptz NOT NULL,
    open           double precision,
    high           double precision,
    low            double precision,
    close          double precision NOT NULL,
    volume         double precision,
    adjusted_close double precision,
    source         text NOT NULL,
    data_quality   text NOT NULL,
    metadata       jsonb NOT NULL,
    PRIMARY KEY (ticker, date, known_at, superseded_at)
);

-- What a count of all bars of a ticker found. Whatever changes or removes bars of it removes the row by trigger, and who
-- inserts bars does so itself: a trigger would slow a backfill down (backend/database/coverage.py).
CREATE TABLE ticker_coverage (
    ticker        text PRIMARY KEY,
    bars          integer NOT NULL,
    suspect       integer NOT NULL,
    bad           integer NOT NULL,
    first_session date NOT NULL,
    last_session  date NOT NULL,
    known_at      timestamptz NOT NULL
);

-- Append-only versions: of one (ticker, ex_date, kind) the newest with known_at <= as_of holds; value NULL withdraws it.
-- value: of a split new shares per old, of a dividend cash per share, of a symbol change 1, of a delisting the return on
-- the last close that a holder got (-1: nothing).
CREATE TABLE corporate_actions (
    ticker     text NOT NULL,
    ex_date    date NOT NULL,
    kind       text NOT NULL,
    known_at   timestamptz NOT NULL,
    value      double precision,
    new_symbol text,
    source     text NOT NULL,
    PRIMARY KEY (ticker, ex_date, kind, known_at),
    CONSTRAINT ck_corporate_actions_kind CHECK (kind IN ('split', 'dividend', 'symbol_change', 'delisting')),
    CONSTRAINT ck_corporate_actions_value CHECK (value < 1e15 AND (value > 0 OR (kind = 'delisting' AND value >= -1))),
    CONSTRAINT ck_corporate_actions_symbol CHECK ((kind = 'symbol_change') = (new_symbol IS NOT NULL))
);
CREATE INDEX ix_corporate_actions_new_symbol ON corporate_actions (new_symbol);

-- Series that are no prices: factor returns (fractions), interest rates, macro figures. Append-only versions: of one
-- (dataset, name, date) the newest with known_at <= as_of holds; value NULL withdraws it.
CREATE TABLE factors (
    dataset  text NOT NULL,
    name     text NOT NULL,
    date     date NOT NULL,
    known_at timestamptz NOT NULL,
    value    double precision,
    source   text NOT NULL,
    PRIMARY KEY (dataset, name, date, known_at),
    CONSTRAINT ck_factors_value CHECK (value > -1e15 AND value < 1e15)
);

CREATE TABLE ingest_runs (
    id            text PRIMARY KEY,
    universe_key  text NOT NULL,
    source        text NOT NULL,
    status        text NOT NULL,
    started_at    timestamptz NOT NULL,
    finished_at   timestamptz,
    lookback_days integer,
    tickers       integer NOT NULL,
    rows_in       integer NOT NULL DEFAULT 0,
    inserted      integer NOT NULL DEFAULT 0,
    changed       integer NOT NULL DEFAULT 0,
    unchanged     integer NOT NULL DEFAULT 0,
    quarantined   integer NOT NULL DEFAULT 0,
    failed        integer NOT NULL DEFAULT 0,
    error         text,
    CONSTRAINT ck_ingest_runs_status CHECK (status IN ('running', 'succeeded', 'partial', 'failed', 'interrupted'))
);
CREATE INDEX ix_ingest_runs_universe ON ingest_runs (universe_key, started_at);

-- One row per quarantined bar (date set) or failed ticker (date NULL).
CREATE TABLE ingest_failures (
    id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    run_id      text NOT NULL REFERENCES ingest_runs (id),
    ticker      text NOT NULL,
    date        date,
    error_class text NOT NULL,
    reason      text NOT NULL,
    payload     jsonb NOT NULL,
    CONSTRAINT ck_ingest_failures_class CHECK
        (error_class IN ('RATE_LIMIT', 'TIMEOUT', 'NETWORK', 'NOT_FOUND', 'DELISTED', 'BAD_DATA'))
);
CREATE INDEX ix_ingest_failures_run ON ingest_failures (run_id);

-- Locks that hold across processes and transaction-mode poolers: a lease runs out by itself.
CREATE TABLE leases (
    name       text PRIMARY KEY,
    owner      text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE backtests (
    id           text PRIMARY KEY,
    spec         jsonb NOT NULL,
    document     text NOT NULL,
    equity_key   text NOT NULL,
    orders_key   text NOT NULL,
    holdings_key text NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX ix_backtests_created_at ON backtests (created_at, id);

-- The trial ledger: every distinct spec ever run, with the moments of its daily returns. Rows are never changed or removed.
-- design: what was chosen, that is the spec without its snapshot and engine; of a pre-registered spec its id. Trials are
-- counted by it, so that the same choice on restated or newer data is no further try.
-- equity_key, equity_column: where in the cache its equity is, beside a column `session`. Null: nowhere.
CREATE TABLE trials (
    backtest_id   text PRIMARY KEY,
    design        text NOT NULL,
    strategy      text NOT NULL,
    universe      text NOT NULL,
    origin        text NOT NULL,
    n_returns     integer NOT NULL,
    mean          double precision,
    std           double precision,
    skewness      double precision,
    kurtosis      double precision,
    equity_key    text,
    equity_column text,
    created_at    timestamptz NOT NULL,
    CONSTRAINT ck_trials_origin CHECK (origin IN ('http', 'cli', 'sweep', 'restatement', 'preregistration')),
    CONSTRAINT ck_trials_equity CHECK ((equity_key IS NULL) = (equity_column IS NULL))
);
CREATE INDEX ix_trials_strategy ON trials (strategy, created_at);

-- A sweep: many backtests of one strategy over its parameters, named by the hash of its spec. batch_size is measured once,
-- so that batch k is the same trials for ever; the document is its summary, once every trial is done or the budget used up.
CREATE TABLE sweeps (
    id            text PRIMARY KEY,
    spec          jsonb NOT NULL,
    budget        jsonb NOT NULL,
    job_id        text NOT NULL,
    n_trials      integer NOT NULL,
    batch_size    integer NOT NULL,
    trial_seconds double precision NOT NULL,
    document      text,
    created_at    timestamptz NOT NULL,
    CONSTRAINT ck_sweeps_n_trials CHECK (n_trials > 0),
    CONSTRAINT ck_sweeps_batch_size CHECK (batch_size > 0)
);
CREATE INDEX ix_sweeps_created_at ON sweeps (created_at, id);

-- A batch that is done: written in one transaction with its lines of the trial ledger. seconds are those of its processor.
CREATE TABLE sweep_batches (
    sweep_id    text NOT NULL REFERENCES sweeps (id),
    number      integer NOT NULL,
    trials_key  text NOT NULL,
    equity_key text NOT NULL,
    n_trials    integer NOT NULL,
    seconds     double precision NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (sweep_id, number)
);

-- Specs that were frozen, without the end, snapshot and engine, which move on. Sessions dated after the UTC date of
-- frozen_at are out of sample. Rows are never changed or removed.
CREATE TABLE preregistrations (
    id        text PRIMARY KEY,
    spec      jsonb NOT NULL,
    strategy  text NOT NULL,
    universe  text NOT NULL,
    reason    text NOT NULL,
    frozen_at timestamptz NOT NULL,
    CONSTRAINT ck_preregistrations_reason CHECK (length(reason) > 0)
);
CREATE INDEX ix_preregistrations_universe ON preregistrations (universe, frozen_at);

-- The backtests by which a frozen spec was extended to newer snapshots. Rows are never changed or removed.
CREATE TABLE preregistration_runs (
    preregistration_id text NOT NULL REFERENCES preregistrations (id),
    backtest_id        text NOT NULL REFERENCES backtests (id),
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (preregistration_id, backtest_id)
);

CREATE TABLE trades (
    id          text PRIMARY KEY,
    ticker      text NOT NULL,
    side        text NOT NULL,
    quantity    double precision NOT NULL,
    entry_date  date NOT NULL,
    entry_price double precision NOT NULL,
    exit_date   date,
    exit_price  double precision,
    fees        double precision NOT NULL DEFAULT 0,
    currency    text NOT NULL,
    strategy    text,
    notes       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_trades_side CHECK (side IN ('long', 'short')),
    CONSTRAINT ck_trades_quantity CHECK (quantity > 0 AND quantity < 1e15),
    CONSTRAINT ck_trades_entry_price CHECK (entry_price > 0 AND entry_price < 1e15),
    CONSTRAINT ck_trades_exit_price CHECK (exit_price > 0 AND exit_price < 1e15),
    CONSTRAINT ck_trades_exit CHECK ((exit_date IS NULL) = (exit_price IS NULL) AND exit_date >= entry_date),
    CONSTRAINT ck_trades_fees CHECK (fees >= 0 AND fees < 1e15),
    CONSTRAINT ck_trades_currency CHECK (length(currency) = 3)
);
CREATE INDEX ix_trades_ticker ON trades (ticker, entry_date);

CREATE TABLE jobs (
    id         text PRIMARY KEY,
    kind       text NOT NULL,
    status     text NOT NULL,
    payload    jsonb NOT NULL,
    result     jsonb,
    error      text,
    progress   double precision NOT NULL DEFAULT 0,
    attempts   integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ck_jobs_status CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    CONSTRAINT ck_jobs_progress CHECK (progress >= 0 AND progress <= 1)
);
CREATE INDEX ix_jobs_status ON jobs (status, created_at);

-- An Idempotency-Key that was used: for which request, so that another one under the same key is refused.
CREATE TABLE idempotency_keys (
    key          text PRIMARY KEY,
    request_hash text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION keep_superseded_bar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO market_data_history (ticker, date, known_at, superseded_at, open, high, low, close, volume,
                                     adjusted_close, source, data_quality, metadata)
    VALUES (OLD.ticker, OLD.date, OLD.known_at, CASE TG_OP WHEN 'UPDATE' THEN NEW.known_at ELSE now() END,
            OLD.open, OLD.high, OLD.low, OLD.close, OLD.volume,
            OLD.adjusted_close, OLD.source, OLD.data_quality, OLD.metadata);
    DELETE FROM ticker_coverage WHERE ticker = OLD.ticker;
    RETURN NULL;
END $$;

CREATE TRIGGER market_data_restated AFTER UPDATE ON market_data FOR EACH ROW
    -- A verdict is a fact as well: a snapshot of the past must find the one that held then.
    WHEN ((OLD.open, OLD.high, OLD.low, OLD.close, OLD.volume, OLD.data_quality)
          IS DISTINCT FROM (NEW.open, NEW.high, NEW.low, NEW.close, NEW.volume, NEW.data_quality))
    EXECUTE FUNCTION keep_superseded_bar();
CREATE TRIGGER market_data_removed AFTER DELETE ON market_data FOR EACH ROW EXECUTE FUNCTION keep_superseded_bar();

-- Row by row nobody could say afterwards what a TRUNCATE removed; history keeps nothing of it.
CREATE FUNCTION forget_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ticker_coverage;
    RETURN NULL;
END $$;

CREATE TRIGGER market_data_emptied AFTER TRUNCATE ON market_data FOR EACH STATEMENT EXECUTE FUNCTION forget_counts();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;

CREATE TRIGGER trials_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trials
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER preregistrations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON preregistrations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER preregistration_runs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON preregistration_runs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
