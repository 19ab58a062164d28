"""What comes in from the product: calls over HTTP and lines of files, read into our own words."""
