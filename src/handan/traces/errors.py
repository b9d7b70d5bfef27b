"""What can go wrong between a request and a stored trace, in words a user can act upon."""


class TracesError(Exception):
    """Base of the errors that a user can mend."""


class RequestError(TracesError):
    """A request or its decoding settings make no sense."""


class ModelError(TracesError):
    """A model can't be found, loaded or trusted."""


class EngineError(TracesError):
    """An engine can't start or can't go on. Single failed requests are rows, not errors."""


class StoreError(TracesError):
    """A store of traces can't be read, written or locked."""


class ImportFormatError(TracesError):
    """A log of another tool is not what it was said to be."""
