"""Documents of a warehouse drawn for annotators, and written as files they can work on."""
