"""The bench: figures of Rotulus beside other queues, taken in one run on one machine."""
