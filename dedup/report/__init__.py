"""What a run writes: tables (``tables``), one HTML page (``html``), the terminal (``terminal``).

Nothing here analyses; every figure shown is counted from the tables of the run.
"""
