"""The page and an HTTP interface on this machine: ``app.create_app``, ``running.run_service``, ``export.export_site``.

Nothing is imported here: the zone editor and the export work without the extra [serve].
"""
