# One image, one function per entry point. A new function is one more entry of function_defaults, a new HTTP area one more
# of areas; roles, logs, queues, aliases, routes, alarms and deployment groups follow from these two maps.

locals {
  # memory_mb, timeout_s          what one execution may use
  # reserved_concurrency          executions at once, or null for the account's pool
  # is_asynchronous               called by events: gets retries and a dead-letter queue
  # cache                         none, read, or write (which includes read)
  # reads_tiingo                  may read the vendor's key, where there is one
  # starts_jobs                   may hand jobs to the worker
  # maps_sweeps                   may start the state machine of sweeps
  # is_shifted                    CodeDeploy moves its alias; otherwise the pipeline runs it before it moves the others
  function_defaults = {
    data = {
      handler              = "backend.handlers.data.handler"
      description          = "HTTP: universes, prices, quality and ingest runs"
      memory_mb            = 512
      timeout_s            = 29
      reserved_concurrency = null
      is_asynchronous      = false
      cache                = "read"
      reads_tiingo         = false
      starts_jobs          = true
      maps_sweeps          = false
      is_shifted           = true
    }
    strategies = {
      handler              = "backend.handlers.strategies.handler"
      description          = "HTTP: strategies and their parameters"
      memory_mb            = 512
      timeout_s            = 29
      reserved_concurrency = null
      is_asynchronous      = false
      cache                = "read"
      reads_tiingo         = false
      starts_jobs          = false
      maps_sweeps          = false
      is_shifted           = true
    }
    backtest = {
      handler              = "backend.handlers.backtest.handler"
      description          = "HTTP: backtests and the trial ledger"
      memory_mb            = 1769 # one whole processor: backtests compute
      timeout_s            = 29
      reserved_concurrency = null
      is_asynchronous      = false
      cache                = "write"
      reads_tiingo         = false
      starts_jobs          = true
      maps_sweeps          = false
      is_shifted           = true
    }
    ingest = {
      handler              = "backend.lambda_daily_ingest.handler"
      description          = "Schedule: brings one universe up to date"
      memory_mb            = 1024
      timeout_s            = 900
      reserved_concurrency = 1 # universes take turns
      is_asynchronous      = true
      cache                = "write"
      reads_tiingo         = true
      starts_jobs          = false
      maps_sweeps          = false
      is_shifted           = true
    }
    worker = {
      handler              = "backend.handlers.worker.handler"
      description          = "Jobs that take longer than a request"
      memory_mb            = 1769 # one whole processor: batches of sweeps compute
      timeout_s            = 900
      reserved_concurrency = null # a lease lets one run at a time work on a universe
      is_asynchronous      = true
      cache                = "write"
      reads_tiingo         = true
      starts_jobs          = false
      maps_sweeps          = true
      is_shifted           = true
    }
    migrate = {
      handler              = "backend.handlers.migrate.handler"
      description          = "Pipeline: brings the schema to the image's revision"
      memory_mb            = 512
      timeout_s            = 300
      reserved_concurrency = 1 # two migrations at once would race
      is_asynchronous      = false
      cache                = "none"
      reads_tiingo         = false
      starts_jobs          = false
      maps_sweeps          = false
      is_shifted           = false
    }
  }

  # What is under /api/v1/<area>, and the function that answers there.
  areas = {
    data       = { function = "data" }
    strategies = { function = "strategies" }
    backtest   = { function = "backtest" }
  }

  functions = {
    for name, defaults in local.function_defaults : name => merge(defaults, {
      memory_mb = coalesce(try(var.function_overrides[name].memory_mb, null), defaults.memory_mb)
      timeout_s = coalesce(try(var.function_overrides[name].timeout_s, null), defaults.timeout_s)
      # Lambda's word for "not reserved" is -1.
      reserved_concurrency = !var.reserve_concurrency ? -1 : try(
        coalesce(try(var.function_overrides[name].reserved_concurrency, null), defaults.reserved_concurrency), -1
      )
    })
  }

  released_functions     = { for name, settings in local.functions : name => settings if local.has_image }
  asynchronous_functions = { for name, settings in local.functions : name => settings if settings.is_asynchronous }

  # Known before the functions exist, so that roles and policies can name them.
  function_names = { for name in keys(local.functions) : name => "${local.prefix}-${name}" }
  function_arns = {
    for name, full_name in local.function_names :
    name => "arn:${local.partition}:lambda:${var.region}:${local.account_id}:function:${full_name}"
  }
  worker_arn = "${local.function_arns["worker"]}:live"
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_117:Reaches only public endpoints (Neon, S3, Secrets Manager); a VPC would need a NAT gateway, over US$30 a month
  #checkov:skip=CKV_AWS_116:Every asynchronous function has a dead-letter queue, by the dynamic block; a synchronous one answers its caller
  #checkov:skip=CKV_AWS_115:Reserved where concurrency does harm (ingest, migrate); HTTP is held by the API's throttling
  #checkov:skip=CKV_AWS_173:The environment holds ARNs and names, no secret; encrypted by AWS's key, or by kms_key_arn where one is given
  #checkov:skip=CKV_AWS_272:Code signing is not offered for images; the repository's tags are immutable instead
  for_each = local.released_functions

  function_name = local.function_names[each.key]
  description   = each.value.description
  role          = aws_iam_role.function[each.key].arn

  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.this.repository_url}:${var.image_tag}"
  architectures = [var.architecture]
  publish       = true
  kms_key_arn   = var.kms_key_arn

  memory_size                    = each.value.memory_mb
  timeout                        = each.value.timeout_s
  reserved_concurrent_executions = each.value.reserved_concurrency

  image_config {
    command = [each.value.handler]
  }

  environment {
    variables = merge(
      {
        DATABASE_SECRET_ARN = aws_secretsmanager_secret.this["database"].arn
        DATABASE_POOL_SIZE  = "1" # a container answers one request at a time
        CACHE_URL           = "s3://${aws_s3_bucket.this["cache"].bucket}"
        CACHE_LOCAL_COPY    = "/tmp/parakeet-cache"
        LOG_LEVEL           = var.log_level
      },
      each.value.starts_jobs ? { WORKER_FUNCTION = local.worker_arn } : {},
      each.value.maps_sweeps ? { SWEEP_STATE_MACHINE = local.sweep_arn } : {},
      each.value.starts_jobs || each.value.maps_sweeps ? {
        SWEEP_WORKER_GB           = tostring(local.functions["worker"].memory_mb / 1024)
        SWEEP_PRICE_PER_GB_SECOND = tostring(var.lambda_price_per_gb_second)
      } : {},
      each.value.reads_tiingo && var.tiingo_enabled ? { TIINGO_SECRET_ARN = aws_secretsmanager_secret.this["tiingo"].arn } : {}
    )
  }

  logging_config {
    log_format            = "JSON"
    log_group             = aws_cloudwatch_log_group.function[each.key].name
    application_log_level = var.log_level
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = "Active"
  }

  dynamic "dead_letter_config" {
    for_each = each.value.is_asynchronous ? [aws_sqs_queue.dead_letters[each.key].arn] : []

    content {
      target_arn = dead_letter_config.value
    }
  }

  lifecycle {
    # The first image is ours, every later one the pipeline's.
    ignore_changes = [image_uri]
  }

  # Lambda checks at creation that the role may write to the queue, and that it may pull the image itself.
  depends_on = [aws_iam_role_policy.function, aws_ecr_repository_policy.this]
}

resource "aws_lambda_alias" "live" {
  for_each = local.released_functions

  name             = "live"
  description      = "The version that is served"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version

  lifecycle {
    # CodeDeploy shifts it. A changed setting therefore serves with the next release, not with the apply.
    ignore_changes = [function_version, routing_config]
  }
}

resource "aws_lambda_provisioned_concurrency_config" "this" {
  for_each = { for name, count in var.provisioned_concurrency : name => count if local.has_image }

  function_name                     = aws_lambda_function.this[each.key].function_name
  qualifier                         = aws_lambda_alias.live[each.key].name
  provisioned_concurrent_executions = each.value
}

resource "aws_lambda_function_event_invoke_config" "this" {
  for_each = { for name in keys(local.asynchronous_functions) : name => name if local.has_image }

  function_name = aws_lambda_function.this[each.key].function_name
  qualifier     = aws_lambda_alias.live[each.key].name

  # Every repeat is harmless; what fails twice has a cause that a third try will not cure.
  maximum_retry_attempts = 1
  # Time for those that wait for their turn, but not until tomorrow's run.
  maximum_event_age_in_seconds = 6 * 3600
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch's own key; a customer key (kms_key_arn) costs more than the rest when idle
  #checkov:skip=CKV_AWS_338:Retention is a variable; logs hold no record that must outlive it, the database does
  for_each = local.functions

  name              = "/aws/lambda/${local.function_names[each.key]}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# What failed for good: the event that a function gave up on, or that a schedule could not deliver.
resource "aws_sqs_queue" "dead_letters" {
  #checkov:skip=CKV_AWS_27:Encrypted by SQS's own key (sqs_managed_sse_enabled), or by kms_key_arn where one is given
  for_each = local.asynchronous_functions

  name                      = "${local.function_names[each.key]}-dlq"
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
}
