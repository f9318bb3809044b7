# One image for every service that runs our code: Airflow's components, Spark's master and workers.
FROM python:3.12-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends openjdk-17-jre-headless \
    && rm -rf /var/lib/apt/lists/*

# a fixed number, so that a volume written by one container can be read by the next
RUN useradd --create-home --uid 10001 lakehouse \
    && install -d -o lakehouse -g lakehouse /app /data
USER lakehouse
WORKDIR /app

COPY --chown=lakehouse:lakehouse . .
RUN sh scripts/setup.sh --group airflow --group cluster && rm -rf "$HOME/.cache"

ENV PATH=/app/.venv/bin:$PATH \
    LAKEHOUSE_HOME=/data \
    SPARK_HOME=/app/.venv/lib/python3.12/site-packages/pyspark \
    SPARK_SCALA_VERSION=2.13 \
    PYTHONUNBUFFERED=1
CMD ["lakehouse", "--help"]
