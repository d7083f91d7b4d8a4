-- Budgets were logged by names that are not the API's.

-- +goose Up
UPDATE audit_log SET
    before = REPLACE(REPLACE(REPLACE(REPLACE(before, '"Amount":', '"limit_usd":'), '"Reset":""', '"reset_interval":null'), '"Reset":', '"reset_interval":'), '"IncludeBYOK":', '"include_byok_in_budgets":'),
    after  = REPLACE(REPLACE(REPLACE(REPLACE(after, '"Amount":', '"limit_usd":'), '"Reset":""', '"reset_interval":null'), '"Reset":', '"reset_interval":'), '"IncludeBYOK":', '"include_byok_in_budgets":')
    WHERE action IN ('budget.set', 'budget.delete');

-- +goose Down
SELECT 1;
