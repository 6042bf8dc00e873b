"""Order without data: a sequence, a group side by side, a step after another; words that mean something elsewhere."""

from towpath import CommandStep, Pipeline, StepSequence, Workspace


def define(workspace: Workspace) -> Pipeline:
    """Run four commands, two of them side by side."""
    first = CommandStep('echo $(date) > started && echo "$HOME"', name="first")
    left = CommandStep(["echo", "$(params.none)", "1e-3", "y", "two words"], name="left")
    right = CommandStep(["echo", 1, 2.5, True, "a\nb"], name="right")
    last = CommandStep(["true"], name="last")
    late = CommandStep(["true"], name="late", image="alpine:3.22", timeout_seconds=60)
    late.run_after(left)
    return Pipeline(workspace, [StepSequence([first, [left, right], last]), late], name="In_Order")
