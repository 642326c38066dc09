-- Revision 0002 on PostgreSQL: from the tables of revision 0001 to those of database/schema.sql.

ALTER TABLE universes RENAME COLUMN created_at TO known_at;
ALTER TABLE universes
    ALTER COLUMN known_at DROP DEFAULT,
    ADD COLUMN kind text NOT NULL DEFAULT 'equity',
    ADD COLUMN list_date date,
    DROP CONSTRAINT universes_pkey,
    ADD PRIMARY KEY (key, known_at),
    ADD CONSTRAINT ck_universes_kind CHECK (kind IN ('equity', 'etf', 'index', 'fx', 'crypto', 'fund'));

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

DROP INDEX ix_market_data_known_at;
CREATE INDEX ix_market_data_known_at ON market_data USING brin (known_at);

ALTER TABLE corporate_actions
    ADD COLUMN new_symbol text,
    DROP CONSTRAINT ck_corporate_actions_kind,
    DROP CONSTRAINT ck_corporate_actions_value,
    ADD CONSTRAINT ck_corporate_actions_kind CHECK (kind IN ('split', 'dividend', 'symbol_change', 'delisting')),
    ADD CONSTRAINT ck_corporate_actions_value CHECK (value < 1e15 AND (value > 0 OR (kind = 'delisting' AND value >= -1))),
    ADD CONSTRAINT ck_corporate_actions_symbol CHECK ((kind = 'symbol_change') = (new_symbol IS NOT NULL));
CREATE INDEX ix_corporate_actions_new_symbol ON corporate_actions (new_symbol);

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

DROP TRIGGER market_data_restated ON market_data;
CREATE TRIGGER market_data_restated AFTER UPDATE ON market_data FOR EACH ROW
    -- A verdict is a fact as well: a snapshot of the past must find the one that held then.
    WHEN ((OLD.open, OLD.high, OLD.low, OLD.close, OLD.volume, OLD.data_quality)
          IS DISTINCT FROM (NEW.open, NEW.high, NEW.low, NEW.close, NEW.volume, NEW.data_quality))
    EXECUTE FUNCTION keep_superseded_bar();
