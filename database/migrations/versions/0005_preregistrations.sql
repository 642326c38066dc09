-- Revision 0005 on PostgreSQL: from the tables of revision 0004 to those of database/schema.sql.

ALTER TABLE trials
    ADD COLUMN design text,
    ADD COLUMN equity_key text,
    ADD COLUMN equity_column text,
    DROP CONSTRAINT ck_trials_origin,
    ADD CONSTRAINT ck_trials_origin CHECK (origin IN ('http', 'cli', 'sweep', 'restatement', 'preregistration')),
    ADD CONSTRAINT ck_trials_equity CHECK ((equity_key IS NULL) = (equity_column IS NULL));
-- What is known of an older trial stays as it was; the columns that are new are filled by this revision alone.
ALTER TABLE trials DISABLE TRIGGER trials_append_only;
UPDATE trials SET design = backtest_id;
UPDATE trials SET equity_key = backtests.equity_key, equity_column = 'equity'
FROM backtests WHERE backtests.id = trials.backtest_id;
ALTER TABLE trials ENABLE TRIGGER trials_append_only;
ALTER TABLE trials ALTER COLUMN design SET NOT NULL;

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

CREATE TABLE preregistration_runs (
    preregistration_id text NOT NULL REFERENCES preregistrations (id),
    backtest_id        text NOT NULL REFERENCES backtests (id),
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (preregistration_id, backtest_id)
);

CREATE TRIGGER preregistrations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON preregistrations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER preregistration_runs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON preregistration_runs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
