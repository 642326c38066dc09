# A sweep's batches are mapped over the worker, and nobody may do more than that takes.

mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  image_tag = "0123abc"
}

run "batches_are_mapped_over_the_worker" {
  command = plan

  variables {
    sweep_concurrency = 40
  }

  assert {
    condition = (
      local.sweep_definition.States.Batches.ItemProcessor.ProcessorConfig.Mode == "DISTRIBUTED" &&
      local.sweep_definition.States.Batches.MaxConcurrency == 40 &&
      local.sweep_definition.States.Batches.ToleratedFailurePercentage == 0 &&
      local.sweep_definition.States.Batches.ItemReader.Parameters == { "Bucket.$" = "$.bucket", "Key.$" = "$.key" }
    )
    error_message = "The map is not the one that aws/executions.py starts."
  }

  assert {
    condition = alltrue([
      for state in [
        local.sweep_definition.States.Batches.ItemProcessor.States.Batch, local.sweep_definition.States.Gather,
        local.sweep_definition.States.Tell
      ] :
      state.Parameters.FunctionName == "arn:aws:lambda:us-east-1:123456789012:function:parakeet-worker:live" &&
      alltrue([for retry in state.Retry : retry.BackoffRate > 1 && retry.MaxAttempts >= 2])
    ])
    error_message = "A call goes elsewhere than to the worker's alias, or is not tried again with growing pauses."
  }

  assert {
    condition     = local.sweep_definition.States.Batches.Catch[0].Next == "Tell" && local.sweep_definition.States.Tell.Next == "Failed"
    error_message = "What fails for good is not told to the job's row."
  }
}

run "each_may_do_what_a_sweep_takes" {
  command = plan

  assert {
    condition = {
      for statement in data.aws_iam_policy_document.sweep.statement : statement.sid => tolist(statement.resources)
      if !contains(statement.resources, "*")
      } == {
      CallTheWorker        = tolist(["arn:aws:lambda:us-east-1:123456789012:function:parakeet-worker:live"])
      ReadTheListOfBatches = tolist(["arn:aws:s3:::mock/objects/*"])
      MapOverItsOwnBatches = tolist(["arn:aws:states:us-east-1:123456789012:stateMachine:parakeet-sweep"])
      WatchAndStopThem     = tolist(["arn:aws:states:us-east-1:123456789012:execution:parakeet-sweep/*"])
    }
    error_message = "The state machine may touch what is none of a sweep's."
  }

  assert {
    condition = [
      for name, document in data.aws_iam_policy_document.function : name
      if length([for s in document.statement : s if contains(s.actions, "states:StartExecution")]) > 0
    ] == ["worker"]
    error_message = "Only the worker starts the state machine."
  }
}

run "without_an_image_there_is_nothing_to_map_over" {
  command = plan

  variables {
    image_tag = null
  }

  assert {
    condition     = length(aws_sfn_state_machine.sweep) == 0
    error_message = "A state machine without a worker."
  }
}

run "no_concurrency_is_refused" {
  command = plan

  variables {
    sweep_concurrency = 0
  }

  expect_failures = [var.sweep_concurrency]
}

run "a_negative_price_is_refused" {
  command = plan

  variables {
    lambda_price_per_gb_second = -1
  }

  expect_failures = [var.lambda_price_per_gb_second]
}
