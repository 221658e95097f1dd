"""The first tables: jobs, users, control, keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables, and the one row of control."""
    _create_jobs()
    op.create_table(
        "users",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("served", sa.BigInteger, nullable=False),
        sa.Column("results_bytes", sa.BigInteger, nullable=False),
    )
    control = op.create_table(
        "control",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("claims", sa.BigInteger, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False),
    )
    op.bulk_insert(control, [{"id": 1, "claims": 0, "draining": False}])
    op.create_table(
        "keys",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_index("ix_keys_user", "keys", ["user"])


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("token", sa.Text, nullable=False, unique=True),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("request_key", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("started", sa.Double),
        sa.Column("finished", sa.Double),
        sa.Column("heartbeat", sa.Double),
        sa.Column("lease_ends", sa.Double),
        sa.Column("expires", sa.Double),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("lost_attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("share", sa.Double, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("log_tail", sa.Text, nullable=False),
        sa.Column("dismiss", sa.Boolean, nullable=False),
        sa.Column("outputs", sa.Text, nullable=False),
        sa.Column("results_bytes", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("jobs_by_state", "jobs", ["state", "user", "seq"])
    op.create_index("jobs_by_user", "jobs", ["user", "seq"])
    op.create_index("jobs_by_request_key", "jobs", ["request_key", "user"])
    op.create_index("jobs_by_expiry", "jobs", ["expires"])
