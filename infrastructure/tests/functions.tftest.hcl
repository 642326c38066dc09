# What every function has, and what each may do.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  image_tag = "0123abc"
}

run "every_function_is_complete" {
  command = plan

  assert {
    condition = alltrue([
      for name, function in aws_lambda_function.this : (
        function.package_type == "Image" && function.publish &&
        function.image_config[0].command == tolist([local.function_defaults[name].handler]) &&
        function.architectures == tolist(["x86_64"]) &&
        function.logging_config[0].log_format == "JSON" &&
        function.logging_config[0].log_group == "/aws/lambda/parakeet-${name}" &&
        function.tracing_config[0].mode == "Active" &&
        function.memory_size == local.function_defaults[name].memory_mb &&
        function.timeout == local.function_defaults[name].timeout_s
      )
    ])
    error_message = "Image, handler, version, JSON log or trace is missing somewhere."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.function : group.retention_in_days == 30])
    error_message = "A log is kept for ever."
  }

  assert {
    condition     = alltrue([for alias in aws_lambda_alias.live : alias.name == "live"])
    error_message = "Every function is called by its alias live."
  }

  assert {
    condition     = length(distinct([for role in aws_iam_role.function : role.name])) == length(local.functions)
    error_message = "Two functions share a role."
  }
}

run "the_environment_names_secrets_and_holds_none" {
  command = plan

  variables {
    database_url         = "postgresql://owner:hunter2@host/db"
    database_url_version = 1
  }

  assert {
    condition = alltrue([
      for name, function in aws_lambda_function.this : function.environment[0].variables == tomap(merge({
        CACHE_LOCAL_COPY    = "/tmp/parakeet-cache"
        CACHE_URL           = "s3://parakeet-cache-123456789012-us-east-1"
        DATABASE_POOL_SIZE  = "1"
        DATABASE_SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mock"
        LOG_LEVEL           = "INFO"
        }, !contains(["backtest", "data"], name) ? {} : {
        WORKER_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:parakeet-worker:live"
        }, !contains(["backtest", "data", "worker"], name) ? {} : {
        SWEEP_WORKER_GB           = "1.7275390625" # 1769 MB
        SWEEP_PRICE_PER_GB_SECOND = tostring(var.lambda_price_per_gb_second)
        }, name != "worker" ? {} : {
        SWEEP_STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:parakeet-sweep"
      }))
    ])
    error_message = "The environment is not the one that backend/config.py reads."
  }

  assert {
    condition     = aws_secretsmanager_secret_version.database[0].secret_string == null && aws_secretsmanager_secret_version.database[0].secret_string_wo == null
    error_message = "The value would be kept in the state."
  }
}

run "tiingo_is_for_those_who_ingest" {
  command = plan

  variables {
    tiingo_enabled = true
  }

  assert {
    condition     = [for name, function in aws_lambda_function.this : name if contains(keys(function.environment[0].variables), "TIINGO_SECRET_ARN")] == ["ingest", "worker"]
    error_message = "Only who ingests asks Tiingo."
  }

  assert {
    condition = alltrue([
      for name, document in data.aws_iam_policy_document.function :
      length([for s in document.statement : s if s.sid == "ReadItsSecrets"][0].resources) == 1 || contains(["ingest", "worker"], name)
    ])
    error_message = "A function may read a secret that is not its own."
  }
}

run "no_policy_allows_a_wildcard" {
  command = plan

  variables {
    tiingo_enabled = true
    pipeline       = { repository = "you/potential-parakeet" }
  }

  assert {
    condition = alltrue([
      for action in flatten([
        for document in concat(
          values(data.aws_iam_policy_document.function), data.aws_iam_policy_document.pipeline, data.aws_iam_policy_document.build,
          data.aws_iam_policy_document.deploy, [data.aws_iam_policy_document.scheduler]
        ) : document.statement[*].actions
      ]) : !strcontains(action, "*")
    ])
    error_message = "An action has a wildcard."
  }

  assert {
    condition = setunion(flatten([
      for document in concat(
        values(data.aws_iam_policy_document.function), data.aws_iam_policy_document.pipeline, data.aws_iam_policy_document.build,
        data.aws_iam_policy_document.deploy, [data.aws_iam_policy_document.scheduler]
      ) : [for s in document.statement : s.sid if contains(s.resources, "*")]
    ])) == toset(["SignInToTheRepository", "WriteTraces"])
    error_message = "Only what AWS ties to no resource may name *."
  }
}

run "the_cache_is_read_by_some_and_deleted_by_none" {
  command = plan

  assert {
    condition = {
      for name, document in data.aws_iam_policy_document.function :
      name => join(" ", sort([for action in flatten(document.statement[*].actions) : action if startswith(action, "s3:")]))
      } == {
      data       = "s3:GetObject s3:ListBucket"
      strategies = "s3:GetObject s3:ListBucket"
      backtest   = "s3:GetObject s3:ListBucket s3:PutObject"
      ingest     = "s3:GetObject s3:ListBucket s3:PutObject"
      worker     = "s3:GetObject s3:ListBucket s3:PutObject"
      migrate    = ""
    }
    error_message = "A function may do more, or less, to the cache than it needs."
  }

  assert {
    condition = alltrue([
      for s in data.aws_iam_policy_document.bucket["cache"].statement : s.effect == "Deny"
      ]) && [for s in data.aws_iam_policy_document.bucket["cache"].statement : s.sid] == [
      "OnlyOverTLS", "ImmutableObjects", "RefsByCompareAndSwap"
    ]
    error_message = "The bucket itself must refuse plain text and overwriting."
  }
}

run "what_is_asynchronous_has_retries_and_a_dead_letter_queue" {
  command = plan

  assert {
    condition     = { for name, function in aws_lambda_function.this : name => length(function.dead_letter_config) } == { backtest = 0, data = 0, ingest = 1, migrate = 0, strategies = 0, worker = 1 }
    error_message = "The asynchronous functions are the ingest and the worker."
  }

  assert {
    condition     = keys(aws_sqs_queue.dead_letters) == ["ingest", "worker"] && aws_sqs_queue.dead_letters["ingest"].message_retention_seconds == 1209600
    error_message = "What failed is kept for 14 days."
  }

  assert {
    condition     = aws_lambda_function_event_invoke_config.this["ingest"].qualifier == "live" && aws_lambda_function_event_invoke_config.this["ingest"].maximum_retry_attempts == 1
    error_message = "Retries must hold for the alias, since that is what is called."
  }
}

run "jobs_are_handed_over_by_those_who_start_them" {
  command = plan

  assert {
    condition = {
      for name, document in data.aws_iam_policy_document.function :
      name => flatten([for s in document.statement : s.resources if contains(s.actions, "lambda:InvokeFunction")])
      if length([for s in document.statement : s if contains(s.actions, "lambda:InvokeFunction")]) > 0
    } == { for name in ["backtest", "data"] : name => ["arn:aws:lambda:us-east-1:123456789012:function:parakeet-worker:live"] }
    error_message = "A function may call what it has no business with."
  }
}

run "concurrency_is_reserved_where_it_does_harm" {
  command = plan

  assert {
    condition     = { for name, function in aws_lambda_function.this : name => function.reserved_concurrent_executions } == { backtest = -1, data = -1, ingest = 1, migrate = 1, strategies = -1, worker = -1 }
    error_message = "One ingest and one migration at a time; the others share the account's pool."
  }
}

run "an_account_with_a_small_quota_reserves_nothing" {
  command = plan

  variables {
    reserve_concurrency = false
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.reserved_concurrent_executions == -1])
    error_message = "A reservation is left."
  }
}

run "single_functions_can_be_tuned" {
  command = plan

  variables {
    architecture            = "arm64"
    function_overrides      = { backtest = { memory_mb = 3008, reserved_concurrency = 5 }, ingest = { timeout_s = 600 } }
    provisioned_concurrency = { data = 1 }
  }

  assert {
    condition     = aws_lambda_function.this["backtest"].memory_size == 3008 && aws_lambda_function.this["backtest"].reserved_concurrent_executions == 5
    error_message = "The override of backtest is not taken."
  }

  assert {
    condition     = aws_lambda_function.this["backtest"].timeout == 29 && aws_lambda_function.this["ingest"].timeout == 600
    error_message = "What is not overridden must stay."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["ingest-duration"].threshold == 480000
    error_message = "The alarm on duration must follow the time limit."
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.this["data"].qualifier == "live" && alltrue([for function in aws_lambda_function.this : function.architectures == tolist(["arm64"])])
    error_message = "Provisioned concurrency is for the alias, and all functions have one architecture."
  }
}

run "with_a_key_of_ones_own_everything_uses_it" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.kms_key_arn == var.kms_key_arn]) && aws_secretsmanager_secret.this["database"].kms_key_id == var.kms_key_arn
    error_message = "Functions and secrets must use the key."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this["cache"].rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "The cache must use the key."
  }

  assert {
    condition     = alltrue([for document in data.aws_iam_policy_document.function : contains(document.statement[*].sid, "UseTheKey")])
    error_message = "Every role must be allowed to use the key."
  }
}
