"""Run the migrations on the connection that holds the opening lock; Alembic executes this file."""

from alembic import context
from sqlalchemy import inspect
from sqlalchemy.schema import CreateSchema

from storage.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]
if not inspect(connection).has_schema(SCHEMA):  # IF NOT EXISTS asks for the right in any case
    connection.execute(CreateSchema(SCHEMA))
context.configure(connection, target_metadata=metadata, version_table_schema=SCHEMA)
with context.begin_transaction():
    context.run_migrations()
