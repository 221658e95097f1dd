"""Processes of an operator's own, beside those of Fournaise.

    [fournaise]
    process_modules = own_processes.days_between own_processes.file_list

with the folder that holds this package in ``PYTHONPATH`` of the web server and of the workers.
"""
