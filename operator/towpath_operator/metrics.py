"""What Prometheus may ask of the operator. No label holds a user's name of anything: so it stays bounded."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

_PASS_BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WAIT_BUCKETS = (1, 5, 15, 60, 300, 900, 3600, 14400)


class Metrics:
    """All series of one process, in a registry of its own, so that tests can have many."""

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self._of_passes()
        self._of_the_api()
        self._of_runs()

    def _of_passes(self) -> None:
        to = self.registry
        self.reconciles = Counter(
            "towpath_reconciles_total", "Passes by kind and outcome", ["kind", "outcome"], registry=to
        )
        self.pass_seconds = Histogram(
            "towpath_pass_seconds", "Duration of a pass", ["kind"], buckets=_PASS_BUCKETS, registry=to
        )
        self.queue_depth = Gauge("towpath_queue_depth", "Keys that wait for a pass", registry=to)
        self.queue_oldest = Gauge(
            "towpath_queue_oldest_seconds", "Age of the oldest key that waits for a pass", registry=to
        )
        self.loop_lag = Gauge(
            "towpath_event_loop_lag_seconds", "How late the event loop last woke a timer", registry=to
        )
        self.leading = Gauge("towpath_leading", "1 where this process leads, 0 on standby", registry=to)

    def _of_the_api(self) -> None:
        to = self.registry
        self.api_calls = Counter(
            "towpath_api_calls_total", "Calls of the Kubernetes API", ["verb", "code"], registry=to
        )
        self.status_writes = Counter(
            "towpath_status_writes_total",
            "Writes of a status, by kind and outcome",
            ["kind", "outcome"],
            registry=to,
        )
        self.watch_restarts = Counter(
            "towpath_watch_restarts_total",
            "Watches that ended and began again",
            ["kind", "cause"],
            registry=to,
        )
        self.audit_repairs = Counter(
            "towpath_audit_repairs_total",
            "Objects whose events were missed and that an audit found",
            ["kind"],
            registry=to,
        )

    def _of_runs(self) -> None:
        to = self.registry
        self.runs = Gauge("towpath_runs", "Runs that exist, by state", ["state"], registry=to)
        self.steps_ended = Counter(
            "towpath_steps_total", "Steps that ended, by state", ["state"], registry=to
        )
        self.waiting = Histogram(
            "towpath_step_waiting_seconds",
            "How long steps waited, by reason",
            ["reason"],
            buckets=_WAIT_BUCKETS,
            registry=to,
        )
        self.bytes = Counter("towpath_bytes_total", "Bytes moved, by direction", ["direction"], registry=to)
        self.transfer_seconds = Counter(
            "towpath_transfer_seconds_total",
            "Seconds in which those bytes were moved, by direction",
            ["direction"],
            registry=to,
        )
        self.exports = Counter(
            "towpath_exports_total", "Exports that ended, by state", ["state"], registry=to
        )
        self.failures = Counter(
            "towpath_failures_total", "Steps that failed, by reason", ["reason"], registry=to
        )
        self.retries = Counter(
            "towpath_retries_total", "Attempts after the first, by cause", ["cause"], registry=to
        )

        self.reuse = Counter(
            "towpath_reuse_total",
            "Steps that took earlier outputs (Hit), or why they were run although they might have",
            ["outcome"],
            registry=to,
        )

    def api_call(self, verb: str, code: str) -> None:
        """Count one call of the API."""
        self.api_calls.labels(verb, code).inc()

    def text(self) -> bytes:
        """All series in Prometheus' text format."""
        return generate_latest(self.registry)
