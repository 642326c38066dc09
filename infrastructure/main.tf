# Potential Parakeet on AWS: one `terraform apply` makes all of it, one `terraform destroy` removes it.
#
# An empty account takes two applies, because a function needs an image and an image needs a repository:
#   1. image_tag = null   repository, buckets, secrets, roles, API without routes, site
#   2. image_tag = "…"    functions, routes, schedules, alarms

terraform {
  required_version = ">= 1.11" # write-only arguments, and S3 state that locks itself

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # Settings come from a file: terraform init -backend-config=backend.hcl (see backend.hcl.example).
  backend "s3" {}
}

provider "aws" {
  region = var.region

  # An emulator has no account to ask. Its address comes from AWS_ENDPOINT_URL, so no endpoints are listed here.
  skip_credentials_validation = var.emulator
  skip_metadata_api_check     = var.emulator
  skip_requesting_account_id  = var.emulator
  s3_use_path_style           = var.emulator

  default_tags {
    tags = merge(var.tags, { Project = "potential-parakeet", Deployment = local.prefix, ManagedBy = "terraform" })
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  prefix     = var.prefix
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # Bucket names and sign-in domains are shared by all accounts of the world; the account makes them ours.
  global_suffix = "${local.account_id}-${var.region}"

  # Whatever runs code waits for the first image.
  has_image = var.image_tag != null
}
