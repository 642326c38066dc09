# Schedules, alarms, site, buckets and pipeline.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  schedules = { SPX500 = { cron = "cron(30 22 ? * MON-FRI *)", timezone = "America/New_York" } }
  image_tag = "0123abc"
}

run "a_schedule_per_universe" {
  command = plan

  variables {
    schedules = {
      SPX500 = { cron = "cron(30 22 ? * MON-FRI *)", timezone = "America/New_York" }
      ASX200 = { cron = "cron(0 18 ? * MON-FRI *)", timezone = "Australia/Sydney", lookback_days = 14, enabled = false }
    }
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.ingest["SPX500"].target[0].input) == { universe_key = "SPX500", lookback_days = 7 } && jsondecode(aws_scheduler_schedule.ingest["ASX200"].target[0].input).lookback_days == 14
    error_message = "The input is not what backend/lambda_daily_ingest.py takes."
  }

  assert {
    condition     = aws_scheduler_schedule.ingest["ASX200"].schedule_expression_timezone == "Australia/Sydney" && aws_scheduler_schedule.ingest["ASX200"].state == "DISABLED" && aws_scheduler_schedule.ingest["SPX500"].state == "ENABLED"
    error_message = "Each market has its own clock and its own switch."
  }

  assert {
    condition     = alltrue([for schedule in aws_scheduler_schedule.ingest : endswith(schedule.target[0].arn, ":live") && length(schedule.target[0].dead_letter_config) == 1 && schedule.target[0].retry_policy[0].maximum_retry_attempts > 0])
    error_message = "Schedules call the alias, try again, and lose nothing."
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_metric_alarm.this), "SPX500-stale") && !contains(keys(aws_cloudwatch_metric_alarm.this), "ASX200-stale")
    error_message = "What is scheduled is watched, and what is not is not."
  }

  assert {
    condition     = [for s in data.aws_iam_policy_document.scheduler.statement : s.resources if s.sid == "StartTheIngest"] == [toset(["arn:aws:lambda:us-east-1:123456789012:function:parakeet-ingest:live"])]
    error_message = "Scheduler may start the ingest and nothing else."
  }
}

run "trouble_is_told" {
  command = plan

  variables {
    alarm_email         = "you@example.com"
    max_sessions_behind = 3
  }

  assert {
    condition = keys(aws_cloudwatch_metric_alarm.this) == [
      "SPX500-silent", "SPX500-stale", "api-errors", "api-latency", "errors", "ingest-dead-letters", "ingest-duration", "throttles",
      "worker-dead-letters", "worker-duration",
    ]
    error_message = "An alarm is missing, or one is too many."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([output.topic_arn])])
    error_message = "An alarm tells nobody."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["SPX500-stale"].threshold == 3 && aws_cloudwatch_metric_alarm.this["SPX500-stale"].dimensions == tomap({ universe = "SPX500" }) && aws_cloudwatch_metric_alarm.this["SPX500-silent"].treat_missing_data == "breaching"
    error_message = "Old data, and silence, must be told."
  }

  assert {
    # AWS refuses more than seven days.
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.period * alarm.evaluation_periods <= (alarm.period < 3600 ? 86400 : 604800)])
    error_message = "CloudWatch does not look back that far."
  }

  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "you@example.com" && aws_budgets_budget.monthly[0].limit_amount == "5.00"
    error_message = "E-mail or budget is missing."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets) == 8
    error_message = "A graph is missing."
  }
}

run "without_a_budget_there_is_none" {
  command = plan

  variables {
    monthly_budget_usd = null
  }

  assert {
    condition     = length(aws_budgets_budget.monthly) == 0
    error_message = "A budget was made that nobody asked for."
  }
}

run "buckets_are_closed" {
  command = plan

  variables {
    pipeline = { repository = "you/potential-parakeet" }
  }

  assert {
    condition     = { for name, bucket in aws_s3_bucket.this : name => bucket.bucket } == { for name in ["artifacts", "cache", "site"] : name => "parakeet-${name}-123456789012-us-east-1" }
    error_message = "A bucket is missing or has another name."
  }

  assert {
    condition = alltrue([
      for block in aws_s3_bucket_public_access_block.this :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ]) && keys(aws_s3_bucket_public_access_block.this) == keys(aws_s3_bucket.this)
    error_message = "A bucket can be made public."
  }

  assert {
    condition     = alltrue([for name in keys(aws_s3_bucket.this) : contains(data.aws_iam_policy_document.bucket[name].statement[*].sid, "OnlyOverTLS")]) && keys(aws_s3_bucket_policy.this) == keys(aws_s3_bucket.this)
    error_message = "A bucket answers without TLS."
  }

  assert {
    condition     = keys(aws_s3_bucket_server_side_encryption_configuration.this) == keys(aws_s3_bucket.this) && keys(aws_s3_bucket_ownership_controls.this) == keys(aws_s3_bucket.this)
    error_message = "A bucket is not encrypted, or has ACLs."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : bucket.force_destroy == false]) && aws_ecr_repository.this.force_delete == false && aws_secretsmanager_secret.this["database"].recovery_window_in_days == 30 && aws_cognito_user_pool.this[0].deletion_protection == "ACTIVE"
    error_message = "What holds data must not go by accident."
  }
}

run "force_destroy_leaves_nothing" {
  command = plan

  variables {
    force_destroy = true
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : bucket.force_destroy]) && aws_ecr_repository.this.force_delete && aws_secretsmanager_secret.this["database"].recovery_window_in_days == 0 && aws_cognito_user_pool.this[0].deletion_protection == "INACTIVE"
    error_message = "Something would be left, or stop the destroy."
  }
}

run "the_site_and_the_api_are_one_origin" {
  command = plan

  assert {
    condition     = aws_cloudfront_distribution.site[0].ordered_cache_behavior[0].path_pattern == "/api/*" && aws_cloudfront_distribution.site[0].ordered_cache_behavior[0].target_origin_id == "api" && aws_cloudfront_distribution.site[0].ordered_cache_behavior[0].cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    error_message = "/api/* goes to the API, uncached."
  }

  assert {
    condition     = contains([for origin in aws_cloudfront_distribution.site[0].origin : origin.domain_name], "abcde12345.execute-api.us-east-1.amazonaws.com")
    error_message = "The API's host is not an origin."
  }

  assert {
    condition     = length(aws_cloudfront_distribution.site[0].custom_error_response) == 0
    error_message = "Error pages would hide the API's 404."
  }

  assert {
    condition     = strcontains(aws_cloudfront_response_headers_policy.site[0].security_headers_config[0].content_security_policy[0].content_security_policy, "connect-src 'self' https://cognito-idp.us-east-1.amazonaws.com https://parakeet-123456789012.auth.us-east-1.amazoncognito.com;")
    error_message = "The page must reach its sign-in, and nothing else."
  }
}

run "a_name_of_ones_own" {
  command = plan

  variables {
    site_domain = { name = "parakeet.example.com", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  assert {
    condition     = output.site_url == "https://parakeet.example.com" && aws_cloudfront_distribution.site[0].viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "The name or its certificate is not used."
  }
}

run "without_a_site_there_is_no_cloudfront" {
  command = plan

  variables {
    frontend_enabled = false
    pipeline         = { repository = "you/potential-parakeet" }
  }

  assert {
    condition     = output.site_url == null && output.site_bucket == null && output.distribution_id == null && length(aws_cloudfront_distribution.site) == 0
    error_message = "A piece of the site is there."
  }
}

run "the_pipeline_ships_the_branch" {
  command = plan

  variables {
    pipeline = { repository = "you/potential-parakeet" }
  }

  assert {
    condition     = aws_codepipeline.this[0].pipeline_type == "V2" && aws_codepipeline.this[0].stage[0].action[0].configuration.BranchName == "main" && length(aws_codeconnections_connection.this) == 1
    error_message = "A V2 pipeline of branch main with a connection of its own."
  }

  assert {
    condition     = keys(aws_codedeploy_deployment_group.this) == ["backtest", "data", "ingest", "strategies", "worker"] && aws_codedeploy_app.this[0].compute_platform == "Lambda"
    error_message = "Every alias but the migration's is shifted by CodeDeploy."
  }

  assert {
    condition = alltrue([
      for name, group in aws_codedeploy_deployment_group.this :
      group.alarm_configuration[0].alarms == toset(["parakeet-${name}-release"]) && contains(group.auto_rollback_configuration[0].events, "DEPLOYMENT_STOP_ON_ALARM") && group.deployment_config_name == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    ])
    error_message = "A bad release must roll back on its own alarm."
  }

  assert {
    condition     = aws_codebuild_project.this[0].environment[0].privileged_mode && contains([for v in aws_codebuild_project.this[0].environment[0].environment_variable : v.name], "CODEDEPLOY_GROUPS")
    error_message = "The build needs Docker and its environment."
  }

  assert {
    condition     = output.codedeploy == { app = "parakeet", groups = { for name in ["backtest", "data", "ingest", "strategies", "worker"] : name => "parakeet-${name}" } }
    error_message = "The output does not name the groups."
  }
}

run "an_existing_connection_is_used" {
  command = plan

  variables {
    pipeline = {
      repository     = "you/potential-parakeet"
      branch         = "release"
      connection_arn = "arn:aws:codeconnections:us-east-1:123456789012:connection/11111111-2222-3333-4444-555555555555"
    }
  }

  assert {
    condition     = length(aws_codeconnections_connection.this) == 0 && aws_codepipeline.this[0].stage[0].action[0].configuration.ConnectionArn == var.pipeline.connection_arn && aws_codepipeline.this[0].stage[0].action[0].configuration.BranchName == "release"
    error_message = "The connection or the branch is not the one given."
  }
}
