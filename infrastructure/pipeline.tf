# Every commit of the branch: CodeConnections -> CodePipeline -> CodeBuild (buildspec.yml: check, test, build, push, migrate,
# publish) -> CodeDeploy, which shifts each alias and shifts it back when that function's alarm goes off.

locals {
  has_pipeline      = var.pipeline == null ? 0 : 1
  pipeline_name     = "${local.prefix}-release" # known before the resources are: their policies name one another
  build_name        = "${local.prefix}-build"
  shifted_functions = { for name, settings in local.functions : name => settings if settings.is_shifted && var.pipeline != null }
  connection_arn    = var.pipeline == null ? null : coalesce(var.pipeline.connection_arn, one(aws_codeconnections_connection.this[*].arn))

  codedeploy_arn = "arn:${local.partition}:codedeploy:${var.region}:${local.account_id}"

  # The build machine of each architecture that CodeBuild has.
  build_machine = {
    x86_64 = { type = "LINUX_CONTAINER", image = "aws/codebuild/amazonlinux-x86_64-standard:5.0" }
    arm64  = { type = "ARM_CONTAINER", image = "aws/codebuild/amazonlinux-aarch64-standard:3.0" }
  }[var.architecture]

  # What buildspec.yml reads. Maps are JSON.
  build_environment = {
    REPOSITORY_URL    = aws_ecr_repository.this.repository_url
    FUNCTION_NAMES    = jsonencode(local.function_names)
    MIGRATE_FUNCTION  = local.function_names["migrate"]
    CODEDEPLOY_APP    = local.prefix
    CODEDEPLOY_GROUPS = jsonencode({ for name in keys(local.shifted_functions) : name => local.function_names[name] })
    SITE_BUCKET       = var.frontend_enabled ? aws_s3_bucket.this["site"].bucket : ""
    DISTRIBUTION_ID   = var.frontend_enabled ? aws_cloudfront_distribution.site[0].id : ""
    JWT_ISSUER        = local.jwt_issuer
    JWT_CLIENT_ID     = local.jwt_audience[0]
    JWT_SCOPES        = join(" ", concat(["openid"], values(local.scopes)))
    SIGN_IN_HOST      = local.sign_in_host == null ? "" : local.sign_in_host
  }
}

resource "aws_codeconnections_connection" "this" {
  count = var.pipeline == null ? 0 : var.pipeline.connection_arn == null ? 1 : 0

  name          = local.prefix
  provider_type = "GitHub" # pending until somebody confirms it, once, in the console
}

resource "aws_codepipeline" "this" {
  #checkov:skip=CKV_AWS_219:Artifacts are copies of commits, encrypted by AWS's key for S3; kms_key_arn replaces it
  count = local.has_pipeline

  name           = local.pipeline_name
  role_arn       = aws_iam_role.pipeline[0].arn
  pipeline_type  = "V2"
  execution_mode = "QUEUED" # releases happen one after the other, none is skipped

  artifact_store {
    location = aws_s3_bucket.this["artifacts"].bucket
    type     = "S3"

    dynamic "encryption_key" {
      for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

      content {
        id   = encryption_key.value
        type = "KMS"
      }
    }
  }

  stage {
    name = "Source"

    action {
      name             = "Commit"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      namespace        = "Source"
      output_artifacts = ["commit"]

      configuration = {
        ConnectionArn        = local.connection_arn
        FullRepositoryId     = var.pipeline.repository
        BranchName           = var.pipeline.branch
        OutputArtifactFormat = "CODE_ZIP"
        DetectChanges        = "false" # the trigger below does
      }
    }
  }

  stage {
    name = "Release"

    action {
      name            = "Build"
      category        = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      input_artifacts = ["commit"]

      configuration = {
        ProjectName          = aws_codebuild_project.this[0].name
        EnvironmentVariables = jsonencode([{ name = "COMMIT", value = "#{Source.CommitId}", type = "PLAINTEXT" }])
      }
    }
  }

  trigger {
    provider_type = "CodeStarSourceConnection"

    git_configuration {
      source_action_name = "Commit"

      push {
        branches {
          includes = [var.pipeline.branch]
        }
      }
    }
  }
}

resource "aws_codebuild_project" "this" {
  #checkov:skip=CKV_AWS_147:Encrypted by AWS's key for S3, or by kms_key_arn where one is given
  #checkov:skip=CKV_AWS_316:Privileged, because building an image needs a Docker daemon; the project builds our own branch only
  count = local.has_pipeline

  name           = local.build_name
  description    = "buildspec.yml: check, test, build, push, migrate, publish, shift"
  service_role   = aws_iam_role.build[0].arn
  encryption_key = var.kms_key_arn
  build_timeout  = 60 # minutes

  artifacts {
    type = "CODEPIPELINE"
  }

  source {
    type      = "CODEPIPELINE"
    buildspec = "buildspec.yml"
  }

  environment {
    type            = local.build_machine.type
    image           = local.build_machine.image
    compute_type    = var.pipeline.compute
    privileged_mode = true

    dynamic "environment_variable" {
      for_each = local.build_environment

      content {
        name  = environment_variable.key
        value = environment_variable.value
      }
    }
  }

  cache {
    type  = "LOCAL"
    modes = ["LOCAL_DOCKER_LAYER_CACHE"]
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.build[0].name
    }
  }
}

resource "aws_cloudwatch_log_group" "build" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch's own key; a customer key (kms_key_arn) costs more than the rest when idle
  #checkov:skip=CKV_AWS_338:Retention is a variable; what was built is in git
  count = local.has_pipeline

  name              = "/aws/codebuild/${local.build_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# --- CodeDeploy ----------------------------------------------------------------------------------------------------------

resource "aws_codedeploy_app" "this" {
  count = local.has_pipeline

  name             = local.prefix
  compute_platform = "Lambda"
}

resource "aws_codedeploy_deployment_group" "this" {
  for_each = local.shifted_functions

  app_name               = aws_codedeploy_app.this[0].name
  deployment_group_name  = local.function_names[each.key]
  deployment_config_name = var.deployment_config
  service_role_arn       = aws_iam_role.deploy[0].arn

  deployment_style {
    deployment_type   = "BLUE_GREEN"
    deployment_option = "WITH_TRAFFIC_CONTROL"
  }

  alarm_configuration {
    enabled = true
    alarms  = [aws_cloudwatch_metric_alarm.release[each.key].alarm_name]
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
  }
}

# What rolls a release back: the function fails when called by its alias, whichever of the two versions answered.
resource "aws_cloudwatch_metric_alarm" "release" {
  for_each = local.shifted_functions

  alarm_name        = "${local.function_names[each.key]}-release"
  alarm_description = "${each.key} fails behind its alias: a release that is under way is rolled back"
  namespace         = "AWS/Lambda"
  metric_name       = "Errors"
  dimensions = {
    FunctionName = local.function_names[each.key]
    Resource     = "${local.function_names[each.key]}:live"
  }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
}

# --- Roles ---------------------------------------------------------------------------------------------------------------

data "aws_iam_policy_document" "pipeline_trust" {
  # CodePipeline says for which account it comes, and not for which pipeline.
  for_each = {
    codepipeline = null
    codebuild    = "arn:${local.partition}:codebuild:${var.region}:${local.account_id}:project/${local.build_name}"
    codedeploy   = "${local.codedeploy_arn}:deploymentgroup:${local.prefix}/*" # every group of our application
  }

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    dynamic "condition" {
      for_each = each.value[*]

      content {
        test     = "ArnLike"
        variable = "aws:SourceArn"
        values   = [condition.value]
      }
    }
  }
}

resource "aws_iam_role" "pipeline" {
  count = local.has_pipeline

  name               = local.pipeline_name
  description        = "CodePipeline: fetches commits and starts builds"
  assume_role_policy = data.aws_iam_policy_document.pipeline_trust["codepipeline"].json
}

resource "aws_iam_role" "build" {
  count = local.has_pipeline

  name               = local.build_name
  description        = "CodeBuild: pushes images, runs the migration, publishes versions, starts deployments, fills the site"
  assume_role_policy = data.aws_iam_policy_document.pipeline_trust["codebuild"].json
}

resource "aws_iam_role" "deploy" {
  count = local.has_pipeline

  name               = "${local.prefix}-deploy"
  description        = "CodeDeploy: shifts aliases and watches their alarms"
  assume_role_policy = data.aws_iam_policy_document.pipeline_trust["codedeploy"].json
}

resource "aws_iam_role_policy" "pipeline" {
  count = local.has_pipeline

  name   = "pipeline"
  role   = aws_iam_role.pipeline[0].id
  policy = data.aws_iam_policy_document.pipeline[0].json
}

resource "aws_iam_role_policy" "build" {
  count = local.has_pipeline

  name   = "build"
  role   = aws_iam_role.build[0].id
  policy = data.aws_iam_policy_document.build[0].json
}

resource "aws_iam_role_policy" "deploy" {
  count = local.has_pipeline

  name   = "deploy"
  role   = aws_iam_role.deploy[0].id
  policy = data.aws_iam_policy_document.deploy[0].json
}

data "aws_iam_policy_document" "pipeline" {
  count = local.has_pipeline

  statement {
    sid       = "FetchCommits"
    actions   = ["codeconnections:UseConnection", "codestar-connections:UseConnection"] # the service goes by both names
    resources = [local.connection_arn]
  }

  statement {
    sid       = "StartBuilds"
    actions   = ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]
    resources = [aws_codebuild_project.this[0].arn]
  }

  statement {
    sid       = "HandOver"
    actions   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
    resources = ["${aws_s3_bucket.this["artifacts"].arn}/*"]
  }

  statement {
    sid       = "FindTheBucket"
    actions   = ["s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket"]
    resources = [aws_s3_bucket.this["artifacts"].arn]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "build" {
  #checkov:skip=CKV_AWS_356:ecr:GetAuthorizationToken knows no resource; everything else names its own
  count = local.has_pipeline

  statement {
    sid       = "WriteItsLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.build[0].arn}:*"] # its log streams
  }

  statement {
    sid       = "TakeTheCommit"
    actions   = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = ["${aws_s3_bucket.this["artifacts"].arn}/*"]
  }

  statement {
    sid       = "SignInToTheRepository"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # this action supports no resource
  }

  statement {
    sid = "PushImages"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [aws_ecr_repository.this.arn]
  }

  statement {
    sid = "PublishVersions"
    actions = [
      "lambda:GetAlias",
      "lambda:GetFunction",
      "lambda:GetFunctionConfiguration",
      "lambda:PublishVersion",
      "lambda:UpdateFunctionCode",
    ]
    resources = flatten([for arn in values(local.function_arns) : [arn, "${arn}:*"]]) # and their versions and aliases
  }

  # The migration runs as the new version before any alias is shifted, and its own alias follows by hand.
  statement {
    sid       = "Migrate"
    actions   = ["lambda:InvokeFunction", "lambda:UpdateAlias"]
    resources = [local.function_arns["migrate"], "${local.function_arns["migrate"]}:*"]
  }

  statement {
    sid     = "StartDeployments"
    actions = ["codedeploy:CreateDeployment", "codedeploy:GetDeployment"]
    resources = [
      for name in keys(local.shifted_functions) :
      "${local.codedeploy_arn}:deploymentgroup:${local.prefix}/${local.function_names[name]}"
    ]
  }

  statement {
    sid       = "DescribeDeployments"
    actions   = ["codedeploy:GetApplicationRevision", "codedeploy:GetDeploymentConfig", "codedeploy:RegisterApplicationRevision"]
    resources = ["${local.codedeploy_arn}:application:${local.prefix}", "${local.codedeploy_arn}:deploymentconfig:${var.deployment_config}"]
  }

  dynamic "statement" {
    for_each = var.frontend_enabled ? [aws_s3_bucket.this["site"].arn] : []

    content {
      sid       = "FillTheSite"
      actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      resources = ["${statement.value}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.frontend_enabled ? [aws_s3_bucket.this["site"].arn] : []

    content {
      sid       = "CompareTheSite"
      actions   = ["s3:ListBucket"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.frontend_enabled ? [aws_cloudfront_distribution.site[0].arn] : []

    content {
      sid       = "InvalidateTheSite"
      actions   = ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "UseTheKey"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "deploy" {
  count = local.has_pipeline

  statement {
    sid     = "ShiftAliases"
    actions = ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"]
    resources = flatten([
      for name in keys(local.shifted_functions) : [local.function_arns[name], "${local.function_arns[name]}:*"] # and their aliases
    ])
  }

  statement {
    sid       = "WatchAlarms"
    actions   = ["cloudwatch:DescribeAlarms"]
    resources = ["arn:${local.partition}:cloudwatch:${var.region}:${local.account_id}:alarm:*"] # the action lists; it cannot be narrowed to ours
  }
}
