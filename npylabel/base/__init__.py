"""What every room stands on: errors, reports, files, the class table and where things live."""
