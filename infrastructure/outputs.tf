output "api_url" {
  description = "Address of the HTTP API itself; the site serves it under /api as well."
  value       = aws_apigatewayv2_api.this.api_endpoint
}

output "api_id" {
  description = "Id of the HTTP API."
  value       = aws_apigatewayv2_api.this.id
}

output "site_url" {
  description = "Address of the site; null without one."
  value       = local.site_url
}

output "cache_bucket" {
  description = "Bucket of the Parquet cache: CACHE_URL is s3:// and this."
  value       = aws_s3_bucket.this["cache"].bucket
}

output "site_bucket" {
  description = "Bucket of the site's files; null without a site."
  value       = try(aws_s3_bucket.this["site"].bucket, null)
}

output "distribution_id" {
  description = "CloudFront distribution of the site; null without one."
  value       = one(aws_cloudfront_distribution.site[*].id)
}

output "database_secret_arn" {
  description = "Secret that holds the database's URL."
  value       = aws_secretsmanager_secret.this["database"].arn
}

output "ecr_repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "function_names" {
  description = "Names of the functions by key; empty until there is an image."
  value       = { for name, function in aws_lambda_function.this : name => function.function_name }
}

output "ingest_dlq_url" {
  description = "Queue of the ingests that failed for good."
  value       = aws_sqs_queue.dead_letters["ingest"].url
}

output "topic_arn" {
  description = "SNS topic of alarms and budget warnings."
  value       = aws_sns_topic.alarms.arn
}

output "jwt_issuer" {
  description = "Issuer whose tokens the API accepts."
  value       = local.jwt_issuer
}

output "jwt_audience" {
  description = "Audiences whose tokens the API accepts."
  value       = local.jwt_audience
}

output "scopes" {
  description = "Scopes that let a caller read and write."
  value       = local.scopes
}

output "user_pool_id" {
  description = "Cognito user pool; null with an issuer of one's own."
  value       = one(aws_cognito_user_pool.this[*].id)
}

output "user_pool_client_id" {
  description = "The site's client of the pool; null with an issuer of one's own."
  value       = one(aws_cognito_user_pool_client.site[*].id)
}

output "sign_in_host" {
  description = "Host of the pool's sign-in pages, with /oauth2/authorize and /oauth2/token; null with an issuer of one's own."
  value       = local.sign_in_host
}

output "codedeploy" {
  description = "CodeDeploy application, and the deployment group of each function; null without a pipeline."
  value = var.pipeline == null ? null : {
    app    = aws_codedeploy_app.this[0].name
    groups = { for name, group in aws_codedeploy_deployment_group.this : name => group.deployment_group_name }
  }
}

output "schedule_names" {
  description = "Names of the schedules by universe; empty until there is an image."
  value       = { for universe, schedule in aws_scheduler_schedule.ingest : universe => schedule.name }
}
