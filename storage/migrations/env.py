"""Run the migrations on the connection that holds the opening lock; Alembic executes this file."""

from alembic import context
from sqlalchemy.schema import CreateSchema

from storage.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]
connection.execute(CreateSchema(SCHEMA, if_not_exists=True))
context.configure(connection, target_metadata=metadata, version_table_schema=SCHEMA)
with context.begin_transaction():
    context.run_migrations()
