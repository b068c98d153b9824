"""What is there: declared servers, clients and settings, the machine, the folders of runs."""
