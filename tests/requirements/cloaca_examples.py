"""The examples of the fourth source document: as they stand there, but for the import."""

import asyncio
import os
import shutil
from types import SimpleNamespace

import rotulus.workflow as cloaca

done = []
"""What the world outside of the examples was told."""

requests = SimpleNamespace(post=lambda url, json: done.append((url, json)))
statsd = SimpleNamespace(timing=lambda name, value: done.append((name, value)))


def perform_operation():
    done.append("operation")
    return 42


def some_external_check():
    done.append("check")
    return done.count("check") > 2


@cloaca.task(id="my_task")
def my_task(context):
    context.set("result", "Task completed successfully")
    return context


@cloaca.task(id="fetch_data")
def fetch_data(context):
    data = {"raw_data": [1, 2, 3, 4, 5]}
    context.set("raw_data", data)
    return context


@cloaca.task(id="process_data", dependencies=["fetch_data"])
def process_data(context):
    raw_data = context.get("raw_data")
    processed = {"processed_data": [x * 2 for x in raw_data["raw_data"]]}
    context.set("processed_data", processed)
    return context


@cloaca.task(id="async_task")
async def async_task(context):
    await asyncio.sleep(1)
    context.set("async_result", "Async operation completed")
    return context


@cloaca.task(id="safe_task")
def safe_task(context):
    try:
        result = risky_operation()  # noqa: F821 - the document does not say what it is
        context.set("success", True)
        context.set("result", result)
    except Exception as e:
        context.set("success", False)
        context.set("error", str(e))
    return context


def log_success(task_id, context):
    print(f"Task '{task_id}' completed successfully")


def alert_failure(task_id, error, context):
    print(f"ALERT: Task '{task_id}' failed: {error}")


@cloaca.task(
    id="monitored_task",
    on_success=log_success,
    on_failure=alert_failure
)  # fmt: skip
def monitored_task(context):
    result = perform_operation()
    context.set("result", result)
    return context


def buggy_callback(task_id, context):
    raise Exception("Callback error!")


@cloaca.task(id="resilient_task", on_success=buggy_callback)
def resilient_task(context):
    return context


def slack_alert(task_id, error, context):
    webhook_url = os.environ.get("SLACK_WEBHOOK")
    requests.post(webhook_url, json={
        "text": f"Task {task_id} failed: {error}"
    })  # fmt: skip


def record_metrics(task_id, context):
    duration = context.get("duration_ms", 0)
    statsd.timing(f"task.{task_id}.duration", duration)


def cleanup_temp_files(task_id, error, context):
    temp_dir = context.get("temp_dir")
    if temp_dir and os.path.exists(temp_dir):  # noqa: PTH110
        shutil.rmtree(temp_dir)


@cloaca.task(id="context_example")
def context_example(context):
    input_value = context.get("input_key", "default_value")
    result = input_value.upper()
    context.set("output_key", result)
    context.set("processing_complete", True)
    return context


@cloaca.task(id="idempotent_task")
def idempotent_task(context):
    if context.get("already_processed"):
        return context
    result = perform_operation()
    context.set("result", result)
    context.set("already_processed", True)
    return context


@cloaca.task(id="validation_task")
def validation_task(context):
    data = context.get("data")
    if not data:
        context.set("error", "Required 'data' field is missing")
        context.set("valid", False)
        return context
    if not isinstance(data, dict):
        context.set("error", f"Expected dict, got {type(data).__name__}")
        context.set("valid", False)
        return context
    context.set("valid", True)
    return context


@cloaca.task(id="wait_for_ready")
def wait_for_ready(context, handle):
    def check_ready():
        return some_external_check()

    handle.defer_until(check_ready, poll_interval_ms=1000)
    context.set("ready", True)
    return context


@cloaca.task(id="wait_for_file")
def wait_for_file(context, handle):
    import os

    target = "/data/input.csv"
    handle.defer_until(
        lambda: os.path.exists(target),  # noqa: PTH110
        poll_interval_ms=5000,
    )
    context.set("file_path", target)
    return context


def mixed_pipeline():
    with cloaca.WorkflowBuilder("mixed_pipeline") as builder:

        @cloaca.task(id="normal_task")
        def normal_task(context):
            context.set("step_1", True)
            return context

        @cloaca.task(id="deferred_task", dependencies=["normal_task"])
        def deferred_task(context, handle):
            handle.defer_until(lambda: True, poll_interval_ms=10)
            context.set("step_2", True)
            return context  # fmt: skip

    return builder
