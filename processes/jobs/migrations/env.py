"""What Alembic runs: the versions, on the connection that `processes.jobs.migration` opened."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
