"""What Alembic runs: the revisions of one service, on the connection that `platform_runtime.migrations` opened."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # SQLite cannot alter a column; Alembic copies the table instead, with the same migration for both databases.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
