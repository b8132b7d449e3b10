"""The WSGI application: `config.wsgi:application`."""

import gc
import os

import django

from tools.osproc import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if os.environ.get("DIE_WITH_PARENT") == "1":
    # The server forks this process: ended with kill -9 it must not leave a worker behind that holds the port.
    die_with_parent(parent=os.getppid())()

django.setup(set_prefix=False)

from apps.core.system_checks import refuse_unguarded  # noqa: E402 - they need the applications
from config.bodies import Handler  # noqa: E402

refuse_unguarded()
application = Handler()
gc.freeze()  # what is loaded by now lives as long as the process: no collection need look at it
