# What is refused when planning, because AWS would refuse it only at apply, or because it would be a mistake. A run says
# several wrong things at once, each of another variable: every one of them must be refused.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "names_that_name_nothing" {
  command = plan

  variables {
    region                  = "Sydney"
    prefix                  = "potential-parakeet-production" # bucket names would be longer than S3 allows
    tags                    = { "aws:owner" = "me" }          # AWS keeps these to itself
    kms_key_arn             = "arn:aws:kms:us-east-1:123456789012:alias/mine"
    image_tag               = "not a tag"
    architecture            = "riscv64"
    function_overrides      = { scaner = { memory_mb = 512 } }
    provisioned_concurrency = { scaner = 1 }
    log_level               = "VERBOSE"
    jwt_scopes              = { read = "read all", write = "write" }
    page_origins            = ["http://example.com"] # without TLS
    route_throttles         = { "POST /api/v1/backtest" = { rate = 1, burst = 1 } }
    schedules               = { "S&P 500" = { cron = "cron(30 22 ? * MON-FRI *)" } }
    alarm_email             = "you"
    site_domain             = { name = "https://example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
    web_acl_arn             = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/1"
    deployment_config       = "CodeDeployDefault.OneAtATime" # for servers
  }

  expect_failures = [
    var.region,
    var.prefix,
    var.tags,
    var.kms_key_arn,
    var.image_tag,
    var.architecture,
    var.function_overrides,
    var.provisioned_concurrency,
    var.log_level,
    var.jwt_scopes,
    var.page_origins,
    var.route_throttles,
    var.schedules,
    var.alarm_email,
    var.site_domain,
    var.web_acl_arn,
    var.deployment_config,
  ]
}

run "numbers_out_of_range" {
  command = plan

  variables {
    function_overrides      = { data = { memory_mb = 64 } }
    provisioned_concurrency = { data = 0.5 }
    log_retention_days      = 31 # CloudWatch knows 30 and 60
    kept_images             = 1  # nothing to go back to
    throttle                = { rate = 0, burst = 40 }
    route_throttles         = { "ANY /api/v1/backtest" = { rate = 1, burst = 0.5 } }
    schedules               = { SPX500 = { cron = "cron(30 22 ? * MON-FRI *)", lookback_days = -1 } }
    max_sessions_behind     = 0.5
    monthly_budget_usd      = 0
    tiingo_api_key_version  = -1
  }

  expect_failures = [
    var.function_overrides,
    var.provisioned_concurrency,
    var.log_retention_days,
    var.kept_images,
    var.throttle,
    var.route_throttles,
    var.schedules,
    var.max_sessions_behind,
    var.monthly_budget_usd,
    var.tiingo_api_key_version,
  ]
}

run "a_time_limit_longer_than_lambda_allows" {
  command = plan

  variables {
    function_overrides   = { ingest = { timeout_s = 901 } }
    database_url_version = -1
  }

  expect_failures = [var.function_overrides, var.database_url_version]
}

run "a_time_limit_longer_than_the_api_waits" {
  command = plan

  variables {
    function_overrides = { backtest = { timeout_s = 60 } }
  }

  expect_failures = [var.function_overrides]
}

run "a_negative_reservation" {
  command = plan

  variables {
    function_overrides = { data = { reserved_concurrency = -2 } }
  }

  expect_failures = [var.function_overrides]
}

run "values_that_would_be_a_mistake" {
  command = plan

  variables {
    prefix               = "aws-parakeet" # Cognito refuses it
    image_tag            = "latest"       # tags are immutable
    cors_origins         = ["*"]
    jwt_scopes           = { read = "all", write = "all" }
    database_url         = "mysql://host/db"
    database_url_version = 1
  }

  expect_failures = [var.prefix, var.image_tag, var.cors_origins, var.jwt_scopes, var.database_url]
}

run "settings_without_their_counterpart" {
  command = plan

  variables {
    database_url_version   = 1 # without database_url
    tiingo_enabled         = true
    tiingo_api_key_version = 1                         # without tiingo_api_key
    jwt_issuer             = "https://id.example.com"  # without jwt_audience
    pipeline               = { repository = "you/it" } # without an image to begin with
    cors_origins           = ["https://example.com/"]  # an origin has no path
    site_domain            = { name = "example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1" }
  }

  expect_failures = [
    var.database_url,
    var.tiingo_api_key,
    var.jwt_audience,
    var.pipeline,
    var.cors_origins,
    var.site_domain,
  ]
}

run "counterparts_without_their_setting" {
  command = plan

  variables {
    tiingo_api_key         = "key" # without a secret to write it to
    tiingo_api_key_version = 1
    jwt_audience           = ["parakeet"] # without jwt_issuer
    page_origins           = []           # and no site either
    frontend_enabled       = false
  }

  expect_failures = [var.tiingo_api_key_version, var.jwt_audience, var.page_origins]
}

run "an_issuer_without_tls" {
  command = plan

  variables {
    jwt_issuer   = "http://id.example.com"
    jwt_audience = ["parakeet"]
  }

  expect_failures = [var.jwt_issuer]
}

run "a_cron_of_five_fields_and_a_repository_by_its_url" {
  command = plan

  variables {
    image_tag = "0123abc"
    schedules = { SPX500 = { cron = "cron(30 22 * * MON-FRI)" } }
    pipeline  = { repository = "https://github.com/you/it" }
  }

  expect_failures = [var.schedules, var.pipeline]
}

run "a_cron_without_its_question_mark_and_a_connection_that_is_none" {
  command = plan

  variables {
    image_tag = "0123abc"
    schedules = { SPX500 = { cron = "cron(30 22 * * MON-FRI *)" } }
    pipeline  = { repository = "you/it", connection_arn = "mine" }
  }

  expect_failures = [var.schedules, var.pipeline]
}

run "a_timezone_by_its_abbreviation_and_an_unknown_build_machine" {
  command = plan

  variables {
    image_tag = "0123abc"
    schedules = { SPX500 = { cron = "cron(30 22 ? * MON-FRI *)", timezone = "EST5" } }
    pipeline  = { repository = "you/it", compute = "SMALL" }
  }

  expect_failures = [var.schedules, var.pipeline]
}
