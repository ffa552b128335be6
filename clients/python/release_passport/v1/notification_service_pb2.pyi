import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from release_passport.v1 import notification_pb2 as _notification_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CreateNotificationChannelRequest(_message.Message):
    __slots__ = ("tenant", "channel", "request_id")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    channel: _notification_pb2.NotificationChannel
    request_id: str
    def __init__(self, tenant: _Optional[str] = ..., channel: _Optional[_Union[_notification_pb2.NotificationChannel, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateNotificationChannelResponse(_message.Message):
    __slots__ = ("channel", "secret", "revision")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    channel: _notification_pb2.NotificationChannel
    secret: str
    revision: int
    def __init__(self, channel: _Optional[_Union[_notification_pb2.NotificationChannel, _Mapping]] = ..., secret: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class GetNotificationChannelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetNotificationChannelResponse(_message.Message):
    __slots__ = ("channel",)
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    channel: _notification_pb2.NotificationChannel
    def __init__(self, channel: _Optional[_Union[_notification_pb2.NotificationChannel, _Mapping]] = ...) -> None: ...

class ListNotificationChannelsRequest(_message.Message):
    __slots__ = ("tenant", "page_size", "page_token")
    TENANT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    tenant: str
    page_size: int
    page_token: str
    def __init__(self, tenant: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNotificationChannelsResponse(_message.Message):
    __slots__ = ("channels", "next_page_token")
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    channels: _containers.RepeatedCompositeFieldContainer[_notification_pb2.NotificationChannel]
    next_page_token: str
    def __init__(self, channels: _Optional[_Iterable[_Union[_notification_pb2.NotificationChannel, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateNotificationChannelRequest(_message.Message):
    __slots__ = ("channel", "new_secret", "request_id")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    NEW_SECRET_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    channel: _notification_pb2.NotificationChannel
    new_secret: bool
    request_id: str
    def __init__(self, channel: _Optional[_Union[_notification_pb2.NotificationChannel, _Mapping]] = ..., new_secret: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateNotificationChannelResponse(_message.Message):
    __slots__ = ("channel", "secret", "revision")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    channel: _notification_pb2.NotificationChannel
    secret: str
    revision: int
    def __init__(self, channel: _Optional[_Union[_notification_pb2.NotificationChannel, _Mapping]] = ..., secret: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class DeleteNotificationChannelRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteNotificationChannelResponse(_message.Message):
    __slots__ = ("channel", "revision")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    channel: _notification_pb2.NotificationChannel
    revision: int
    def __init__(self, channel: _Optional[_Union[_notification_pb2.NotificationChannel, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class EnableNotificationChannelRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class EnableNotificationChannelResponse(_message.Message):
    __slots__ = ("channel", "revision")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    channel: _notification_pb2.NotificationChannel
    revision: int
    def __init__(self, channel: _Optional[_Union[_notification_pb2.NotificationChannel, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class TestNotificationChannelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class TestNotificationChannelResponse(_message.Message):
    __slots__ = ("delivered", "status", "failure")
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    delivered: bool
    status: int
    failure: str
    def __init__(self, delivered: bool = ..., status: _Optional[int] = ..., failure: _Optional[str] = ...) -> None: ...

class ListNotificationDeliveriesRequest(_message.Message):
    __slots__ = ("name", "page_size", "page_token", "state")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    page_size: int
    page_token: str
    state: _notification_pb2.NotificationDeliveryState
    def __init__(self, name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[_notification_pb2.NotificationDeliveryState, str]] = ...) -> None: ...

class ListNotificationDeliveriesResponse(_message.Message):
    __slots__ = ("deliveries", "next_page_token")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[_notification_pb2.NotificationDelivery]
    next_page_token: str
    def __init__(self, deliveries: _Optional[_Iterable[_Union[_notification_pb2.NotificationDelivery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ReplayNotificationsRequest(_message.Message):
    __slots__ = ("name", "from_revision", "from_time", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FROM_REVISION_FIELD_NUMBER: _ClassVar[int]
    FROM_TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    from_revision: int
    from_time: _timestamp_pb2.Timestamp
    request_id: str
    def __init__(self, name: _Optional[str] = ..., from_revision: _Optional[int] = ..., from_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReplayNotificationsResponse(_message.Message):
    __slots__ = ("channel", "revision")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    channel: _notification_pb2.NotificationChannel
    revision: int
    def __init__(self, channel: _Optional[_Union[_notification_pb2.NotificationChannel, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...
