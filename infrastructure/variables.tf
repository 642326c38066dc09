# --- Where, and under which names -------------------------------------------------------------------------------------

variable "region" {
  description = "AWS region; the nearer to the database, the better."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region looks like us-east-1 or ap-southeast-2."
  }
}

variable "prefix" {
  description = "Beginning of every name; two deployments in one account differ in it. At most 20 characters."
  type        = string
  default     = "parakeet"

  validation {
    # Bucket names append the account and the region, and end at 63 characters.
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.prefix)) && !strcontains(var.prefix, "--")
    error_message = "3 to 20 of a-z, 0-9 and single hyphens, beginning with a letter and not ending with a hyphen."
  }

  validation {
    condition     = !can(regex("aws|amazon|cognito", var.prefix))
    error_message = "Cognito refuses sign-in domains that contain aws, amazon or cognito."
  }
}

variable "tags" {
  description = "Tags for every resource, beside those that the configuration sets itself."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.tags) : length(name) <= 128 && !startswith(lower(name), "aws:")])
    error_message = "A tag name has at most 128 characters and does not begin with aws:."
  }
}

variable "force_destroy" {
  description = <<-TEXT
    Whether `terraform destroy` may remove what holds data: buckets and image repository with their content, the user
    pool, secrets without a recovery window. Set it, apply, then destroy.
  TEXT
  type        = bool
  default     = false
}

variable "emulator" {
  description = "Whether AWS_ENDPOINT_URL points at an emulator, which has no account, no metadata and no bucket hosts."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = <<-TEXT
    ARN of a customer-managed key (about US$1 a month) for secrets, logs, queues, messages, environments and the cache
    and artifact buckets. Its policy must let this account and the services delivery.logs, logs, cloudwatch, budgets and
    scheduler use it. Null: the keys of AWS, which cost nothing.
  TEXT
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "The ARN of a KMS key, not of an alias."
  }
}

# --- Functions --------------------------------------------------------------------------------------------------------

variable "image_tag" {
  description = "Tag of the first image. Null until one has been pushed: then nothing that runs code is made."
  type        = string
  default     = null

  validation {
    condition     = var.image_tag == null || can(regex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$", var.image_tag))
    error_message = "At most 128 letters, digits, dots, hyphens and underscores, not beginning with a dot or a hyphen."
  }

  validation {
    condition     = var.image_tag != "latest"
    error_message = "Tags are immutable here: use the commit, not latest."
  }
}

variable "architecture" {
  description = "Processor of the functions and of the build: x86_64 or arm64. The image must be built for it."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "x86_64 or arm64."
  }
}

variable "function_overrides" {
  description = <<-TEXT
    Per function: memory_mb (128 to 10240), timeout_s (1 to 900; what serves HTTP at most 30) and reserved_concurrency
    (executions at once; 0 stops the function).
  TEXT
  type = map(object({
    memory_mb            = optional(number)
    timeout_s            = optional(number)
    reserved_concurrency = optional(number)
  }))
  default = {}

  validation {
    condition     = length(setsubtract(keys(var.function_overrides), keys(local.function_defaults))) == 0
    error_message = "Unknown function; the functions are ${join(", ", keys(local.function_defaults))}."
  }

  validation {
    condition = alltrue([
      for settings in values(var.function_overrides) :
      settings.memory_mb == null ? true : settings.memory_mb >= 128 && settings.memory_mb <= 10240
    ])
    error_message = "memory_mb is 128 to 10240."
  }

  validation {
    condition = alltrue([
      for name, settings in var.function_overrides :
      settings.timeout_s == null ? true : settings.timeout_s >= 1 && settings.timeout_s <= (contains(values(local.areas)[*].function, name) ? 30 : 900)
    ])
    error_message = "timeout_s is 1 to 900, and at most 30 for what serves HTTP: the API gives up then."
  }

  validation {
    condition = alltrue([
      for settings in values(var.function_overrides) :
      settings.reserved_concurrency == null ? true : settings.reserved_concurrency >= 0
    ])
    error_message = "reserved_concurrency is 0 or more."
  }
}

variable "reserve_concurrency" {
  description = <<-TEXT
    Whether to reserve concurrency: one ingest, one migration at a time. Lambda keeps back part of the account's quota, so
    an account with a quota of 10, as new ones have, refuses any reservation: ask for more (Service Quotas, free), or set
    false; the lease in the database then still lets only one run at a time work on a universe.
  TEXT
  type        = bool
  default     = true
}

variable "provisioned_concurrency" {
  description = "Per function: environments kept warm. Each costs about US$2.70 a month per 256 MB, used or not."
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.provisioned_concurrency), keys(local.function_defaults))) == 0
    error_message = "Unknown function; the functions are ${join(", ", keys(local.function_defaults))}."
  }

  validation {
    condition     = alltrue([for count in values(var.provisioned_concurrency) : count >= 1 && floor(count) == count])
    error_message = "A whole number of environments, 1 or more; leave a function out to have none."
  }
}

variable "log_level" {
  description = "Least severe level that the functions write: DEBUG, INFO, WARN or ERROR."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARN", "ERROR"], var.log_level)
    error_message = "DEBUG, INFO, WARN or ERROR."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept: one of the values that CloudWatch knows."
  type        = number
  default     = 30

  validation {
    condition = contains(
      [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
      var.log_retention_days
    )
    error_message = "One of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 and more years up to 3653."
  }
}

variable "kept_images" {
  description = "Images that the repository keeps; older ones are removed. Each is about 200 MB, US$0.02 a month."
  type        = number
  default     = 10

  validation {
    condition     = var.kept_images >= 3
    error_message = "3 or more: the image that runs, the one before it, and the one being released."
  }
}

# --- Secrets: values are ephemeral, so neither state nor plan ever holds one ---------------------------------------------

variable "database_url" {
  description = <<-TEXT
    PostgreSQL URL as Neon prints it. Given by TF_VAR_database_url and written only when database_url_version changes. Null
    with version 0: Terraform makes the secret and leaves its value to `aws secretsmanager put-secret-value`.
  TEXT
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.database_url == null || can(regex("^postgres(ql)?(\\+[a-z0-9]+)?://[^ ]+$", var.database_url))
    error_message = "A URL that begins with postgresql://."
  }

  validation {
    condition     = var.database_url_version == 0 || var.database_url != null
    error_message = "database_url_version says that Terraform writes the URL: give it in TF_VAR_database_url, at every plan."
  }
}

variable "database_url_version" {
  description = "0: Terraform does not write the URL. Otherwise raise it to write the URL again."
  type        = number
  default     = 0

  validation {
    condition     = var.database_url_version >= 0 && floor(var.database_url_version) == var.database_url_version
    error_message = "A whole number, 0 or more."
  }
}

variable "tiingo_enabled" {
  description = "Whether to make a secret for the Tiingo API key (US$0.40 a month) and let the ingest read it."
  type        = bool
  default     = false
}

variable "tiingo_api_key" {
  description = "Tiingo API key, in TF_VAR_tiingo_api_key; written only when tiingo_api_key_version changes."
  type        = string
  default     = null
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.tiingo_api_key_version == 0 || var.tiingo_api_key != null
    error_message = "tiingo_api_key_version says that Terraform writes the key: give it in TF_VAR_tiingo_api_key, at every plan."
  }
}

variable "tiingo_api_key_version" {
  description = "0: Terraform does not write the key. Otherwise raise it to write the key again."
  type        = number
  default     = 0

  validation {
    condition     = var.tiingo_api_key_version >= 0 && floor(var.tiingo_api_key_version) == var.tiingo_api_key_version
    error_message = "A whole number, 0 or more."
  }

  validation {
    condition     = var.tiingo_api_key_version == 0 || var.tiingo_enabled
    error_message = "There is no secret to write to unless tiingo_enabled is true."
  }
}

# --- Who may call the API ------------------------------------------------------------------------------------------------

variable "jwt_issuer" {
  description = "OpenID Connect issuer of the tokens, as in their claim iss. Null: a Cognito user pool is made here."
  type        = string
  default     = null

  validation {
    # API Gateway fetches the keys itself and only over TLS; an emulator may fetch them from this machine.
    condition     = var.jwt_issuer == null || can(regex(var.emulator ? "^https?://[^ ]+$" : "^https://[^ ]+$", var.jwt_issuer))
    error_message = "An https:// URL."
  }
}

variable "jwt_audience" {
  description = "Audiences (claims aud or client_id) whose tokens are accepted from jwt_issuer. Not used with the pool made here."
  type        = list(string)
  default     = []

  validation {
    condition     = (var.jwt_issuer == null) == (length(var.jwt_audience) == 0)
    error_message = "jwt_issuer and jwt_audience come together, or not at all."
  }
}

variable "jwt_scopes" {
  description = "Scopes of jwt_issuer that let a caller read and write. With the pool made here they are PREFIX/read and PREFIX/write."
  type        = object({ read = string, write = string })
  default     = { read = "parakeet/read", write = "parakeet/write" }

  validation {
    # RFC 6749: a scope has neither blanks nor quotes nor backslashes.
    condition     = alltrue([for scope in values(var.jwt_scopes) : can(regex("^[!#-\\[\\]-~]{1,256}$", scope))])
    error_message = "A scope is 1 to 256 visible ASCII characters, without blank, double quote and backslash."
  }

  validation {
    condition     = var.jwt_scopes.read != var.jwt_scopes.write
    error_message = "Two scopes: who may read must not for that reason be able to write."
  }
}

variable "page_origins" {
  description = <<-TEXT
    Origins beside the site whose page may sign in with the pool made here, for development: a signed-in user comes back to
    /signed-in there, a signed-out one to /.
  TEXT
  type        = list(string)
  default     = ["http://localhost:5173"]

  validation {
    condition     = alltrue([for origin in var.page_origins : can(regex("^(https://[a-z0-9.-]+|http://localhost)(:[0-9]{1,5})?$", origin))])
    error_message = "Each an origin, without path and slash: https://example.com or http://localhost:5173."
  }

  validation {
    condition     = length(var.page_origins) > 0 || var.frontend_enabled || var.jwt_issuer != null
    error_message = "Without a site the pool needs at least one origin to come back to."
  }
}

variable "cors_origins" {
  description = "Origins other than the site whose pages may call the API. The site itself needs none: /api is on its own origin."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^(https://[a-z0-9.-]+|http://localhost)(:[0-9]{1,5})?$", origin))])
    error_message = "Each an origin, without path and slash: https://example.com or http://localhost:5173. Never *."
  }
}

variable "throttle" {
  description = "Requests that each route accepts: rate in requests a second, burst in requests at once."
  type        = object({ rate = number, burst = number })
  default     = { rate = 20, burst = 40 }

  validation {
    condition     = var.throttle.rate > 0 && var.throttle.burst >= 1 && floor(var.throttle.burst) == var.throttle.burst
    error_message = "A rate above 0 and a whole burst of 1 or more; 0 would refuse every request."
  }
}

variable "route_throttles" {
  description = "The same for single routes, by route key: what starts computations gets less than what looks things up."
  type        = map(object({ rate = number, burst = number }))
  default     = { "ANY /api/v1/backtest" = { rate = 2, burst = 5 } }

  validation {
    condition = alltrue([
      for limit in values(var.route_throttles) : limit.rate > 0 && limit.burst >= 1 && floor(limit.burst) == limit.burst
    ])
    error_message = "A rate above 0 and a whole burst of 1 or more; 0 would refuse every request."
  }

  validation {
    condition     = length(setsubtract(keys(var.route_throttles), keys(local.routes))) == 0
    error_message = "No such route; a route key looks like \"ANY /api/v1/backtest\" or \"GET /api/v1/data/{proxy+}\"."
  }
}

# --- Schedules -----------------------------------------------------------------------------------------------------------

variable "schedules" {
  description = <<-TEXT
    Per universe: cron (an EventBridge Scheduler expression, after that market's close), timezone (IANA name),
    lookback_days (calendar days fetched again for restatements) and whether it is enabled. The universe must exist in
    the database before its first run.
  TEXT
  type = map(object({
    cron          = string
    timezone      = optional(string, "UTC")
    lookback_days = optional(number, 7)
    enabled       = optional(bool, true)
  }))
  default = {} # until a universe is there, its runs could only fail

  validation {
    condition     = alltrue([for universe in keys(var.schedules) : can(regex("^[A-Za-z0-9_.-]{1,40}$", universe))])
    error_message = "A universe key has at most 40 letters, digits, dots, hyphens and underscores: the schedule bears its name."
  }

  validation {
    condition = alltrue([
      for schedule in values(var.schedules) :
      can(regex("^cron\\(([^\\s()]+ ){5}[^\\s()]+\\)$", schedule.cron)) ||
      can(regex("^rate\\([1-9][0-9]* (minute|hour|day)s?\\)$", schedule.cron))
    ])
    error_message = "cron(minutes hours day-of-month month day-of-week year), six fields, or rate(1 day)."
  }

  validation {
    condition = alltrue([
      for schedule in values(var.schedules) :
      # One of day-of-month and day-of-week must be ?, and EventBridge says so only at apply.
      startswith(schedule.cron, "rate") || can(regex("^cron\\(\\S+ \\S+ (\\? \\S+ [^\\s?]+|[^\\s?]+ \\S+ \\?) ", schedule.cron))
    ])
    error_message = "Exactly one of day-of-month and day-of-week is a question mark."
  }

  validation {
    condition = alltrue([
      for schedule in values(var.schedules) : can(regex("^(UTC|[A-Z][A-Za-z]+(/[A-Z][A-Za-z_-]+){1,2})$", schedule.timezone))
    ])
    error_message = "An IANA name such as America/New_York or Australia/Sydney, or UTC."
  }

  validation {
    condition = alltrue([
      for schedule in values(var.schedules) : schedule.lookback_days >= 0 && schedule.lookback_days <= 3650 && floor(schedule.lookback_days) == schedule.lookback_days
    ])
    error_message = "lookback_days is a whole number, 0 to 3650."
  }
}

# --- Monitoring ----------------------------------------------------------------------------------------------------------

variable "alarm_email" {
  description = "Address that alarms and budget warnings go to; AWS asks it for confirmation. Null: only the SNS topic."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@ ]+@[^@ .]+(\\.[^@ .]+)+$", var.alarm_email))
    error_message = "An e-mail address."
  }
}

variable "max_sessions_behind" {
  description = "Sessions of its exchange that a scheduled universe may lack after an ingest; one is due six hours after its close. 1: a vendor may be a day late."
  type        = number
  default     = 1

  validation {
    condition     = var.max_sessions_behind >= 0 && floor(var.max_sessions_behind) == var.max_sessions_behind
    error_message = "A whole number of sessions, 0 or more."
  }
}

variable "monthly_budget_usd" {
  description = "Costs of the account, in US dollars a month, above 80 % of which a warning is sent. Null: no budget."
  type        = number
  default     = 5

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "More than 0 dollars, or null for no budget."
  }
}

# --- Site ----------------------------------------------------------------------------------------------------------------

variable "frontend_enabled" {
  description = "Whether to make the site: a bucket, and CloudFront in front of it and of /api."
  type        = bool
  default     = true
}

variable "site_domain" {
  description = "Own name of the site, with the ARN of its certificate in us-east-1. Null: the name that CloudFront gives."
  type        = object({ name = string, certificate_arn = string })
  default     = null

  validation {
    condition     = var.site_domain == null ? true : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.site_domain.name))
    error_message = "name is a host name such as parakeet.example.com."
  }

  validation {
    condition     = var.site_domain == null ? true : can(regex("^arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/", var.site_domain.certificate_arn))
    error_message = "certificate_arn is a certificate in us-east-1: CloudFront takes no other."
  }
}

variable "web_acl_arn" {
  description = "ARN of a WAF web ACL of scope CLOUDFRONT (from US$5 a month) for the site. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.web_acl_arn == null || can(regex("^arn:aws[a-z-]*:wafv2:us-east-1:[0-9]{12}:global/webacl/", var.web_acl_arn))
    error_message = "A web ACL of scope CLOUDFRONT: arn:aws:wafv2:us-east-1:…:global/webacl/…."
  }
}

# --- Pipeline ------------------------------------------------------------------------------------------------------------

variable "pipeline" {
  description = <<-TEXT
    Ships every commit of a branch. repository is owner/name on GitHub; connection_arn an existing CodeConnections connection,
    null to make one (confirm it once in the console); compute the size of the build machine. Null: no pipeline.
  TEXT
  type = object({
    repository     = string
    connection_arn = optional(string)
    branch         = optional(string, "main")
    compute        = optional(string, "BUILD_GENERAL1_SMALL")
  })
  default = null

  validation {
    condition     = var.pipeline == null ? true : can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.pipeline.repository))
    error_message = "repository is owner/name, without host."
  }

  validation {
    condition = var.pipeline == null ? true : (
      var.pipeline.connection_arn == null ||
      can(regex("^arn:aws[a-z-]*:(codeconnections|codestar-connections):", var.pipeline.connection_arn))
    )
    error_message = "connection_arn is the ARN of a CodeConnections connection."
  }

  validation {
    condition = var.pipeline == null ? true : contains(
      ["BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_MEDIUM", "BUILD_GENERAL1_LARGE"], var.pipeline.compute
    )
    error_message = "compute is BUILD_GENERAL1_SMALL, BUILD_GENERAL1_MEDIUM or BUILD_GENERAL1_LARGE."
  }

  validation {
    condition     = var.pipeline == null || var.image_tag != null
    error_message = "The pipeline releases functions that exist: push a first image and set image_tag with it."
  }
}

variable "deployment_config" {
  description = "How CodeDeploy shifts an alias to a new version: the name of one of its configurations for Lambda."
  type        = string
  default     = "CodeDeployDefault.LambdaCanary10Percent5Minutes"

  validation {
    condition     = can(regex("^CodeDeployDefault\\.Lambda[A-Za-z0-9]+$", var.deployment_config))
    error_message = "CodeDeployDefault.LambdaCanary…, …Linear… or CodeDeployDefault.LambdaAllAtOnce."
  }
}

variable "sweep_concurrency" {
  description = "Batches of a sweep that are worked on at once: executions of the worker. An account starts with 1,000 for all functions, a new one with 10."
  type        = number
  default     = 100

  validation {
    condition     = var.sweep_concurrency >= 1 && var.sweep_concurrency <= 10000 && floor(var.sweep_concurrency) == var.sweep_concurrency
    error_message = "sweep_concurrency: a whole number from 1 to 10000."
  }
}

variable "lambda_price_per_gb_second" {
  description = "US dollars of a GB-second of Lambda, by which the budget of a sweep is kept: 0.0000166667 for x86_64, 0.0000133334 for arm64 in us-east-1."
  type        = number
  default     = 0.0000166667

  validation {
    condition     = var.lambda_price_per_gb_second >= 0 && var.lambda_price_per_gb_second <= 1
    error_message = "lambda_price_per_gb_second: US dollars from 0 to 1."
  }
}
