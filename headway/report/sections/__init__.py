"""The sections of the report, one file each; every one turns the content into HTML."""
