"""The pure core: tables with ids, and properties over random histories."""
