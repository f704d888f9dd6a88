"""The public names of `lamina.export`: the one table that editors and `lamina.core.lazy` read."""

from lamina.export.archive import ExportArchive as ExportArchive
