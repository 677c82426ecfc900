"""The scheduled job as a task of Airflow 3."""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="dedup",
    schedule="55 23 * * *",
    start_date=datetime(2024, 1, 1),
    catchup=False,
    # The index remembers what it has read: one run makes up for all that were missed.
    max_active_runs=1,
) as dag:
    BashOperator(
        task_id="news",
        bash_command="/opt/dedup/bin/dedup job run /srv/news/job.toml",
        # 4: another run is at work, and takes in what this one would have.
        skip_on_exit_code=4,
        retries=2,
        retry_delay=timedelta(minutes=5),
    )
