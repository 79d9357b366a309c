"""The service `CloudScheduler` of the fake: its jobs, and their firing."""

import re
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import grpc
from google.cloud.scheduler_v1 import (
    CreateJobRequest,
    DeleteJobRequest,
    GetJobRequest,
    Job,
    ListJobsRequest,
    ListJobsResponse,
    PauseJobRequest,
    ResumeJobRequest,
    RunJobRequest,
    UpdateJobRequest,
)
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import PubsubMessage

from rotulus._time.schedule import Schedule
from rotulus.errors import OptionError
from rotulus.pubsub.fake.broker import Broker
from rotulus.pubsub.fake.pushing import post
from rotulus.pubsub.fake.requests import (
    Refused,
    already_exists,
    check_between,
    invalid,
    merged,
    not_found,
)
from rotulus.pubsub.fake.serving import Method
from rotulus.pubsub.fake.signing import Signer
from rotulus.pubsub.protobuf import moment, seconds_of

_NAME = re.compile(r"projects/[^/]+/locations/[^/]+/jobs/[A-Za-z0-9_-]{1,500}")
_ATTEMPT = 180.0
"""The default of seconds for a call of an endpoint."""


@dataclass(slots=True, eq=False)
class _Kept:
    """A job, its next instant, and how often its present one has failed."""

    job: Job
    next: datetime
    failures: int = 0


class SchedulerService:
    """The calls of clients about jobs; `fire` fires the jobs that are due.

    Args:
        broker: the broker that jobs publish to.
        signer: signs the tokens for endpoints.
    """

    def __init__(self, broker: Broker, signer: Signer) -> None:
        self._broker = broker
        self._signer = signer
        self._lock = threading.RLock()
        self._kept: dict[str, _Kept] = {}
        self._threads = ThreadPoolExecutor(8, "fake-schedule")

    @property
    def methods(self) -> dict[str, Method]:
        """The methods, by their names."""
        return {
            "CreateJob": Method(self.create, CreateJobRequest, Job),
            "GetJob": Method(self.get, GetJobRequest, Job),
            "ListJobs": Method(self.find, ListJobsRequest, ListJobsResponse),
            "UpdateJob": Method(self.update, UpdateJobRequest, Job),
            "DeleteJob": Method(self.delete, DeleteJobRequest, Empty),
            "PauseJob": Method(self.pause, PauseJobRequest, Job),
            "ResumeJob": Method(self.resume, ResumeJobRequest, Job),
            "RunJob": Method(self.run, RunJobRequest, Job),
        }

    def create(self, request: CreateJobRequest) -> Job:
        """Make a job."""
        job = Job(request.job)
        if not _NAME.fullmatch(job.name) or not job.name.startswith(f"{request.parent}/jobs/"):
            raise invalid(f"Job name {job.name!r} is not valid")
        with self._lock:
            if job.name in self._kept:
                raise already_exists("Job", job.name)
            job.state = Job.State.ENABLED
            return self._keep(job)

    def get(self, request: GetJobRequest) -> Job:
        """Returns a job."""
        return self._job(request.name).job

    def find(self, request: ListJobsRequest) -> ListJobsResponse:
        """Returns the jobs of a location."""
        with self._lock:
            known = sorted(self._kept.items())
        start = f"{request.parent}/jobs/"
        return ListJobsResponse(jobs=[kept.job for name, kept in known if name.startswith(start)])

    def update(self, request: UpdateJobRequest) -> Job:
        """Change fields of a job."""
        with self._lock:
            known = self._job(request.job.name).job
            return self._keep(merged(known, request.job, request.update_mask))

    def delete(self, request: DeleteJobRequest) -> Empty:
        """Delete a job."""
        with self._lock:
            self._job(request.name)
            del self._kept[request.name]
        return Empty()

    def pause(self, request: PauseJobRequest) -> Job:
        """Stop firing a job."""
        return self._set_state(request.name, Job.State.PAUSED)

    def resume(self, request: ResumeJobRequest) -> Job:
        """Fire a job again, from its next instant on."""
        return self._set_state(request.name, Job.State.ENABLED)

    def run(self, request: RunJobRequest) -> Job:
        """Fire a job now."""
        kept = self._job(request.name)
        self._start(kept)
        return kept.job

    def fire(self) -> list[Future[None]]:
        """Fire the jobs that are due; each future is done when its answer is there."""
        now = self._broker.clock.now()
        with self._lock:
            due = [
                kept
                for kept in self._kept.values()
                if kept.next <= now and kept.job.state == Job.State.ENABLED
            ]
            for kept in due:
                kept.next = _after(kept.job, now)
        return [self._start(kept) for kept in due]

    def next_due(self) -> datetime | None:
        """Returns the moment of the next firing."""
        with self._lock:
            return min((kept.next for kept in self._kept.values()), default=None)

    def close(self) -> None:
        """Fire nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _job(self, name: str) -> _Kept:
        if name not in self._kept:
            raise not_found("Job", name)
        return self._kept[name]

    def _keep(self, job: Job) -> Job:
        _check(job)
        now = self._broker.clock.now()
        job.user_update_time = moment(now)
        kept = _Kept(job, _after(job, now))
        job.schedule_time = moment(kept.next)
        self._kept[job.name] = kept
        return job

    def _set_state(self, name: str, state: Job.State) -> Job:
        with self._lock:
            kept = self._job(name)
            kept.job.state = state
            kept.next = _after(kept.job, self._broker.clock.now())
            return kept.job

    def _start(self, kept: _Kept) -> Future[None]:
        return self._threads.submit(self._fire, kept)

    def _fire(self, kept: _Kept) -> None:
        done = self._publish(kept.job) if "pubsub_target" in kept.job else self._call(kept.job)
        with self._lock:
            now = self._broker.clock.now()
            kept.job.last_attempt_time = moment(now)
            kept.failures = 0 if done else kept.failures + 1
            if 0 < kept.failures <= kept.job.retry_config.retry_count:
                kept.next = min(kept.next, now + _back_off(kept.job, kept.failures))
            elif not done:
                kept.failures = 0
            kept.job.schedule_time = moment(kept.next)

    def _publish(self, job: Job) -> bool:
        target = job.pubsub_target
        message = PubsubMessage(data=target.data, attributes=dict(target.attributes))
        try:
            self._broker.publish(target.topic_name, [message])
        except Refused:
            return False
        return True

    def _call(self, job: Job) -> bool:
        target = job.http_target
        headers = {"User-Agent": "Google-Cloud-Scheduler", **target.headers}
        if target.oidc_token.service_account_email:
            audience = target.oidc_token.audience or target.uri
            token = self._signer.token(audience, target.oidc_token.service_account_email)
            headers["Authorization"] = f"Bearer {token}"
        seconds = seconds_of(job, "attempt_deadline", _ATTEMPT)
        status = post(target.uri, target.body, headers, seconds)
        return status is not None and 200 <= status < 300


def _after(job: Job, now: datetime) -> datetime:
    return Schedule(job.schedule, job.time_zone or "UTC").next(now)[0]


def _back_off(job: Job, failures: int) -> timedelta:
    config = job.retry_config
    low = seconds_of(config, "min_backoff_duration", 5.0)
    high = seconds_of(config, "max_backoff_duration", 3600.0)
    return timedelta(seconds=min(high, low * 2.0 ** (failures - 1)))


def _check(job: Job) -> None:
    try:
        Schedule(job.schedule, job.time_zone or "UTC")
    except OptionError as error:
        raise Refused(grpc.StatusCode.INVALID_ARGUMENT, f"Schedule or time zone: {error}") from None
    if len(job.schedule.split()) != 5:
        raise invalid(f"Schedule or time zone is invalid: {job.schedule}")
    check_between(job.retry_config.retry_count, 0, 5, "retry_count")
    if "pubsub_target" not in job and "http_target" not in job:
        raise invalid("A job needs a target")
