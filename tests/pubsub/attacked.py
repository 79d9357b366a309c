"""A server with the endpoints of pushes: `python attacked.py PORT URL`. Jobs are in the store."""

import logging
import sys

import uvicorn
from fastapi import FastAPI

from pubsub.served import Service
from rotulus import TaskRegistry
from rotulus.pubsub import PubSubSettings, make_push_router

if __name__ == "__main__":
    logging.disable()
    service = Service(sys.argv[2], TaskRegistry(), PubSubSettings())
    service.app.store.migrate()
    application = FastAPI()
    application.include_router(make_push_router(service.handler))
    uvicorn.run(application, port=int(sys.argv[1]), log_config=None)
