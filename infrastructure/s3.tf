# Buckets: the cache, the site, and what the pipeline hands from stage to stage.

locals {
  # is_versioned: an overwritten or deleted object can be had back.
  #   cache      no: objects and manifests never change, and a ref is a compare-and-swap of a few bytes that the database can
  #              rebuild; versions would only keep what nobody can ask for
  #   site       yes: a release that breaks the page can be undone
  #   artifacts  no: copies of commits, gone after a month
  buckets = merge(
    { cache = { is_versioned = false, expire_days = null, kms_key_arn = var.kms_key_arn } },
    # CloudFront reads it without our key.
    var.frontend_enabled ? { site = { is_versioned = true, expire_days = null, kms_key_arn = null } } : {},
    var.pipeline == null ? {} : { artifacts = { is_versioned = false, expire_days = 30, kms_key_arn = var.kms_key_arn } }
  )

  # As aws/s3_cache.py lays it out.
  immutable_folders = ["objects", "snapshots"]
  cache_folders     = concat(local.immutable_folders, ["refs"])
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Access logs would cost more than the storage; the API's access log and CloudTrail's management events remain
  #checkov:skip=CKV_AWS_21:Versioned where it helps: see is_versioned
  #checkov:skip=CKV_AWS_144:Everything can be rebuilt: the cache from the database, the site and the artifacts from git
  #checkov:skip=CKV_AWS_145:Encrypted by S3's own key, or by kms_key_arn where one is given
  #checkov:skip=CKV2_AWS_62:Nothing listens to object events
  for_each = local.buckets

  bucket        = "${local.prefix}-${each.key}-${local.global_suffix}"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.buckets

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    object_ownership = "BucketOwnerEnforced" # no ACLs
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    bucket_key_enabled = each.value.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = each.value.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = each.value.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = { for name, settings in local.buckets : name => settings if settings.is_versioned }

  bucket = aws_s3_bucket.this[each.key].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  #checkov:skip=CKV_AWS_300:The first rule does, on every bucket; the check passes once the dynamic rules beside it are taken away
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "abandoned-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  dynamic "rule" {
    for_each = each.value.is_versioned ? [30] : []

    content {
      id     = "old-versions"
      status = "Enabled"

      filter {}

      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = each.value.expire_days == null ? [] : [each.value.expire_days]

    content {
      id     = "expire"
      status = "Enabled"

      filter {}

      expiration {
        days = rule.value
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets

  bucket = aws_s3_bucket.this[each.key].id
  policy = data.aws_iam_policy_document.bucket[each.key].json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

data "aws_iam_policy_document" "bucket" {
  for_each = local.buckets

  statement {
    sid       = "OnlyOverTLS"
    effect    = "Deny"
    actions   = ["s3:*"] # a denial: of everything
    resources = [aws_s3_bucket.this[each.key].arn, "${aws_s3_bucket.this[each.key].arn}/*"]

    principals {
      type        = "*" # everybody, ourselves included
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  # "Objects are never overwritten" is a rule of the bucket, not only a habit of our code: a write must say If-None-Match.
  dynamic "statement" {
    for_each = each.key == "cache" ? [aws_s3_bucket.this[each.key].arn] : []

    content {
      sid       = "ImmutableObjects"
      effect    = "Deny"
      actions   = ["s3:PutObject"]
      resources = [for folder in local.immutable_folders : "${statement.value}/${folder}/*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      condition {
        test     = "Null"
        variable = "s3:if-none-match"
        values   = ["true"]
      }

      # The parts of a multipart upload carry no condition; its completion does.
      condition {
        test     = "Bool"
        variable = "s3:ObjectCreationOperation"
        values   = ["true"]
      }
    }
  }

  # A ref moves by compare-and-swap alone: If-Match, or If-None-Match for the first time.
  dynamic "statement" {
    for_each = each.key == "cache" ? [aws_s3_bucket.this[each.key].arn] : []

    content {
      sid       = "RefsByCompareAndSwap"
      effect    = "Deny"
      actions   = ["s3:PutObject"]
      resources = ["${statement.value}/refs/*"]

      principals {
        type        = "*"
        identifiers = ["*"]
      }

      dynamic "condition" {
        for_each = toset(["s3:if-match", "s3:if-none-match"])

        content {
          test     = "Null"
          variable = condition.value
          values   = ["true"]
        }
      }

      condition {
        test     = "Bool"
        variable = "s3:ObjectCreationOperation"
        values   = ["true"]
      }
    }
  }

  dynamic "statement" {
    for_each = each.key == "site" ? aws_cloudfront_distribution.site[*].arn : []

    content {
      sid       = "CloudFrontReads"
      actions   = ["s3:GetObject"]
      resources = ["${aws_s3_bucket.this[each.key].arn}/*"]

      principals {
        type        = "Service"
        identifiers = ["cloudfront.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceArn"
        values   = [statement.value]
      }
    }
  }
}
