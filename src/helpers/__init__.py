"""Shared modules of the RxRx19a companion: one floor a step, each uses only the floors below it."""
