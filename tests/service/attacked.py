"""A service with everything that there is, to be attacked: `python attacked.py PORT URL`."""

import logging
import sys

import uvicorn

from service.rich import rich_app, rich_service

if __name__ == "__main__":
    logging.disable()
    application = rich_service(rich_app(sys.argv[2]))
    uvicorn.run(application, port=int(sys.argv[1]), log_config=None, timeout_keep_alive=30)
