"""The stores: one folder for each database, all of them held to `rotulus.store`."""
