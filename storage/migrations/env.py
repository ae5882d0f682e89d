"""Run the migrations on the connection that holds the opening lock; Alembic executes this file."""

from alembic import context
from sqlalchemy import inspect
from sqlalchemy.schema import CreateSchema, SetColumnComment, SetTableComment

from storage.tables import SCHEMA, VIEWS, metadata

REVISION = f"""
COMMENT ON TABLE {SCHEMA}.alembic_version IS 'The newest migration that these tables have.';
COMMENT ON COLUMN {SCHEMA}.alembic_version.version_num IS 'Its number in storage/migrations.'"""

connection = context.config.attributes["connection"]
for name in (SCHEMA, VIEWS):
    if not inspect(connection).has_schema(name):  # IF NOT EXISTS asks for the right in any case
        connection.execute(CreateSchema(name))
context.configure(connection, target_metadata=metadata, version_table_schema=SCHEMA)
with context.begin_transaction():
    context.run_migrations()
    for table in metadata.sorted_tables:
        connection.execute(SetTableComment(table))
        for column in table.columns:
            connection.execute(SetColumnComment(column))
    connection.exec_driver_sql(REVISION)
