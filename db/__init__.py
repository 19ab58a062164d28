"""Storage: one file is one table (or few) and every question asked of it. Only `db.engine` commits."""
