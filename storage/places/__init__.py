"""Where artifacts lie: a folder, or a bucket of S3."""
