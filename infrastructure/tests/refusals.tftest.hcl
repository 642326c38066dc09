# What is refused when planning, because AWS would refuse it only at apply, or because it would be a mistake.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "a_region_that_is_none" {
  command = plan

  variables {
    region = "Sydney"
  }

  expect_failures = [var.region]
}

run "a_prefix_too_long_for_bucket_names" {
  command = plan

  variables {
    prefix = "potential-parakeet-production"
  }

  expect_failures = [var.prefix]
}

run "a_prefix_that_cognito_refuses" {
  command = plan

  variables {
    prefix = "aws-parakeet"
  }

  expect_failures = [var.prefix]
}

run "a_tag_name_that_aws_keeps_for_itself" {
  command = plan

  variables {
    tags = { "aws:owner" = "me" }
  }

  expect_failures = [var.tags]
}

run "an_alias_instead_of_a_key" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "a_tag_with_a_blank" {
  command = plan

  variables {
    image_tag = "not a tag"
  }

  expect_failures = [var.image_tag]
}

run "the_tag_latest" {
  command = plan

  variables {
    image_tag = "latest"
  }

  expect_failures = [var.image_tag]
}

run "an_unknown_processor" {
  command = plan

  variables {
    architecture = "riscv64"
  }

  expect_failures = [var.architecture]
}

run "settings_of_an_unknown_function" {
  command = plan

  variables {
    function_overrides = { scaner = { memory_mb = 512 } }
  }

  expect_failures = [var.function_overrides]
}

run "too_little_memory" {
  command = plan

  variables {
    function_overrides = { data = { memory_mb = 64 } }
  }

  expect_failures = [var.function_overrides]
}

run "a_time_limit_longer_than_the_api_waits" {
  command = plan

  variables {
    function_overrides = { backtest = { timeout_s = 60 } }
  }

  expect_failures = [var.function_overrides]
}

run "a_time_limit_longer_than_lambda_allows" {
  command = plan

  variables {
    function_overrides = { ingest = { timeout_s = 901 } }
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

run "warm_environments_of_an_unknown_function" {
  command = plan

  variables {
    provisioned_concurrency = { scaner = 1 }
  }

  expect_failures = [var.provisioned_concurrency]
}

run "half_a_warm_environment" {
  command = plan

  variables {
    provisioned_concurrency = { data = 0.5 }
  }

  expect_failures = [var.provisioned_concurrency]
}

run "an_unknown_log_level" {
  command = plan

  variables {
    log_level = "VERBOSE"
  }

  expect_failures = [var.log_level]
}

run "a_retention_that_cloudwatch_does_not_know" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "too_few_images_to_roll_back" {
  command = plan

  variables {
    kept_images = 1
  }

  expect_failures = [var.kept_images]
}

run "a_url_of_another_database" {
  command = plan

  variables {
    database_url         = "mysql://host/db"
    database_url_version = 1
  }

  expect_failures = [var.database_url]
}

run "a_version_without_a_url" {
  command = plan

  variables {
    database_url_version = 1
  }

  expect_failures = [var.database_url]
}

run "a_negative_version" {
  command = plan

  variables {
    database_url_version = -1
    database_url         = "postgresql://host/db"
  }

  expect_failures = [var.database_url_version]
}

run "a_version_without_a_key" {
  command = plan

  variables {
    tiingo_enabled         = true
    tiingo_api_key_version = 1
  }

  expect_failures = [var.tiingo_api_key]
}

run "a_key_without_a_secret" {
  command = plan

  variables {
    tiingo_api_key         = "key"
    tiingo_api_key_version = 1
  }

  expect_failures = [var.tiingo_api_key_version]
}

run "an_issuer_without_tls" {
  command = plan

  variables {
    jwt_issuer   = "http://id.example.com"
    jwt_audience = ["parakeet"]
  }

  expect_failures = [var.jwt_issuer]
}

run "an_issuer_without_an_audience" {
  command = plan

  variables {
    jwt_issuer = "https://id.example.com"
  }

  expect_failures = [var.jwt_audience]
}

run "an_audience_without_an_issuer" {
  command = plan

  variables {
    jwt_audience = ["parakeet"]
  }

  expect_failures = [var.jwt_audience]
}

run "a_scope_with_a_blank" {
  command = plan

  variables {
    jwt_scopes = { read = "read all", write = "write" }
  }

  expect_failures = [var.jwt_scopes]
}

run "one_scope_for_both" {
  command = plan

  variables {
    jwt_scopes = { read = "all", write = "all" }
  }

  expect_failures = [var.jwt_scopes]
}

run "a_callback_without_tls" {
  command = plan

  variables {
    callback_urls = ["http://example.com/"]
  }

  expect_failures = [var.callback_urls]
}

run "a_pool_without_any_callback" {
  command = plan

  variables {
    callback_urls    = []
    frontend_enabled = false
  }

  expect_failures = [var.callback_urls]
}

run "every_origin" {
  command = plan

  variables {
    cors_origins = ["*"]
  }

  expect_failures = [var.cors_origins]
}

run "an_origin_with_a_path" {
  command = plan

  variables {
    cors_origins = ["https://example.com/"]
  }

  expect_failures = [var.cors_origins]
}

run "a_limit_that_refuses_everything" {
  command = plan

  variables {
    throttle = { rate = 0, burst = 40 }
  }

  expect_failures = [var.throttle]
}

run "a_burst_of_half_a_request" {
  command = plan

  variables {
    route_throttles = { "ANY /api/v1/backtest" = { rate = 1, burst = 0.5 } }
  }

  expect_failures = [var.route_throttles]
}

run "the_limit_of_a_route_that_is_not_there" {
  command = plan

  variables {
    route_throttles = { "POST /api/v1/backtest" = { rate = 1, burst = 1 } }
  }

  expect_failures = [var.route_throttles]
}

run "a_universe_with_a_blank" {
  command = plan

  variables {
    schedules = { "S&P 500" = { cron = "cron(30 22 ? * MON-FRI *)" } }
  }

  expect_failures = [var.schedules]
}

run "a_cron_of_five_fields" {
  command = plan

  variables {
    schedules = { SPX500 = { cron = "cron(30 22 * * MON-FRI)" } }
  }

  expect_failures = [var.schedules]
}

run "a_cron_without_its_question_mark" {
  command = plan

  variables {
    schedules = { SPX500 = { cron = "cron(30 22 * * MON-FRI *)" } }
  }

  expect_failures = [var.schedules]
}

run "a_timezone_by_its_abbreviation" {
  command = plan

  variables {
    schedules = { SPX500 = { cron = "cron(30 22 ? * MON-FRI *)", timezone = "EST5" } }
  }

  expect_failures = [var.schedules]
}

run "a_negative_lookback" {
  command = plan

  variables {
    schedules = { SPX500 = { cron = "cron(30 22 ? * MON-FRI *)", lookback_days = -1 } }
  }

  expect_failures = [var.schedules]
}

run "an_address_that_is_none" {
  command = plan

  variables {
    alarm_email = "you"
  }

  expect_failures = [var.alarm_email]
}

run "a_negative_age" {
  command = plan

  variables {
    max_data_age_days = -1
  }

  expect_failures = [var.max_data_age_days]
}

run "a_budget_of_nothing" {
  command = plan

  variables {
    monthly_budget_usd = 0
  }

  expect_failures = [var.monthly_budget_usd]
}

run "a_url_instead_of_a_name" {
  command = plan

  variables {
    site_domain = { name = "https://example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  expect_failures = [var.site_domain]
}

run "a_certificate_of_another_region" {
  command = plan

  variables {
    site_domain = { name = "example.com", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1" }
  }

  expect_failures = [var.site_domain]
}

run "a_regional_web_acl" {
  command = plan

  variables {
    web_acl_arn = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/1"
  }

  expect_failures = [var.web_acl_arn]
}

run "a_repository_by_its_url" {
  command = plan

  variables {
    image_tag = "0123abc"
    pipeline  = { repository = "https://github.com/you/it" }
  }

  expect_failures = [var.pipeline]
}

run "a_connection_that_is_none" {
  command = plan

  variables {
    image_tag = "0123abc"
    pipeline  = { repository = "you/it", connection_arn = "mine" }
  }

  expect_failures = [var.pipeline]
}

run "an_unknown_build_machine" {
  command = plan

  variables {
    image_tag = "0123abc"
    pipeline  = { repository = "you/it", compute = "SMALL" }
  }

  expect_failures = [var.pipeline]
}

run "a_pipeline_before_the_first_image" {
  command = plan

  variables {
    pipeline = { repository = "you/it" }
  }

  expect_failures = [var.pipeline]
}

run "a_deployment_that_is_not_for_lambda" {
  command = plan

  variables {
    deployment_config = "CodeDeployDefault.OneAtATime"
  }

  expect_failures = [var.deployment_config]
}
