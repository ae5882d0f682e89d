"""The identity of a stored study: what a process remembers of a study holds while it is the same.

It is another one when the study was deleted and made again, and when the database was restored to
an earlier point: from a dump (the study's row was written anew), by another database under this
name, or with the whole server (which started again). A mere restart of the server changes it too:
the study is then read once more.
"""

from sqlalchemy import text

# Of the row `s` in Optuna's table of studies, which nobody updates.
IDENTITY = """concat_ws(' ', s.study_id, s.xmin, extract(epoch FROM pg_postmaster_start_time()),
       (SELECT oid FROM pg_database WHERE datname = current_database()))"""

# With the moment at which this was read, by the database's clock.
OF_STUDY = text(f"""SELECT {IDENTITY} AS identity, now() AS read_at
  FROM studies s WHERE s.study_id = :study""")
