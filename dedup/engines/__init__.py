"""Other machines than this one for the same stages: clusters."""
