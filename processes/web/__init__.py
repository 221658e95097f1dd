"""What stands between the network and the WPS: limits, keys, logs, health.

Each module is one WSGI middleware or one page; `processes.application` puts them together.
"""
