"""(plan, record, observation, now, limits) → what to do next for a run. Level-triggered: no event is remembered."""
