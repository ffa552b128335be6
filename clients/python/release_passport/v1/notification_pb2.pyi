import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class NotificationFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_FORMAT_UNSPECIFIED: _ClassVar[NotificationFormat]
    NOTIFICATION_FORMAT_WEBHOOK: _ClassVar[NotificationFormat]
    NOTIFICATION_FORMAT_CLOUDEVENTS_STRUCTURED: _ClassVar[NotificationFormat]
    NOTIFICATION_FORMAT_CLOUDEVENTS_BINARY: _ClassVar[NotificationFormat]
    NOTIFICATION_FORMAT_TEMPLATE: _ClassVar[NotificationFormat]

class NotificationChannelState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_CHANNEL_STATE_UNSPECIFIED: _ClassVar[NotificationChannelState]
    NOTIFICATION_CHANNEL_STATE_ENABLED: _ClassVar[NotificationChannelState]
    NOTIFICATION_CHANNEL_STATE_DISABLED: _ClassVar[NotificationChannelState]
    NOTIFICATION_CHANNEL_STATE_DELETED: _ClassVar[NotificationChannelState]

class NotificationDeliveryState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_DELIVERY_STATE_UNSPECIFIED: _ClassVar[NotificationDeliveryState]
    NOTIFICATION_DELIVERY_STATE_PENDING: _ClassVar[NotificationDeliveryState]
    NOTIFICATION_DELIVERY_STATE_DELIVERED: _ClassVar[NotificationDeliveryState]
    NOTIFICATION_DELIVERY_STATE_FAILED: _ClassVar[NotificationDeliveryState]
NOTIFICATION_FORMAT_UNSPECIFIED: NotificationFormat
NOTIFICATION_FORMAT_WEBHOOK: NotificationFormat
NOTIFICATION_FORMAT_CLOUDEVENTS_STRUCTURED: NotificationFormat
NOTIFICATION_FORMAT_CLOUDEVENTS_BINARY: NotificationFormat
NOTIFICATION_FORMAT_TEMPLATE: NotificationFormat
NOTIFICATION_CHANNEL_STATE_UNSPECIFIED: NotificationChannelState
NOTIFICATION_CHANNEL_STATE_ENABLED: NotificationChannelState
NOTIFICATION_CHANNEL_STATE_DISABLED: NotificationChannelState
NOTIFICATION_CHANNEL_STATE_DELETED: NotificationChannelState
NOTIFICATION_DELIVERY_STATE_UNSPECIFIED: NotificationDeliveryState
NOTIFICATION_DELIVERY_STATE_PENDING: NotificationDeliveryState
NOTIFICATION_DELIVERY_STATE_DELIVERED: NotificationDeliveryState
NOTIFICATION_DELIVERY_STATE_FAILED: NotificationDeliveryState

class NotificationChannel(_message.Message):
    __slots__ = ("name", "title", "url", "format", "template", "event_types", "services", "environments", "state", "disable_reason", "position", "missed_until", "secret_count", "creator", "create_time", "update_time", "delete_time", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENTS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DISABLE_REASON_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    MISSED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    SECRET_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELETE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    url: str
    format: NotificationFormat
    template: str
    event_types: _containers.RepeatedScalarFieldContainer[str]
    services: _containers.RepeatedScalarFieldContainer[str]
    environments: _containers.RepeatedScalarFieldContainer[str]
    state: NotificationChannelState
    disable_reason: str
    position: int
    missed_until: int
    secret_count: int
    creator: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    delete_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., url: _Optional[str] = ..., format: _Optional[_Union[NotificationFormat, str]] = ..., template: _Optional[str] = ..., event_types: _Optional[_Iterable[str]] = ..., services: _Optional[_Iterable[str]] = ..., environments: _Optional[_Iterable[str]] = ..., state: _Optional[_Union[NotificationChannelState, str]] = ..., disable_reason: _Optional[str] = ..., position: _Optional[int] = ..., missed_until: _Optional[int] = ..., secret_count: _Optional[int] = ..., creator: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class NotificationDelivery(_message.Message):
    __slots__ = ("message_id", "revision", "event_type", "subject", "state", "attempts", "last_status", "last_failure", "event_time", "next_time", "end_time")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    LAST_STATUS_FIELD_NUMBER: _ClassVar[int]
    LAST_FAILURE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    revision: int
    event_type: str
    subject: str
    state: NotificationDeliveryState
    attempts: int
    last_status: int
    last_failure: str
    event_time: _timestamp_pb2.Timestamp
    next_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, message_id: _Optional[str] = ..., revision: _Optional[int] = ..., event_type: _Optional[str] = ..., subject: _Optional[str] = ..., state: _Optional[_Union[NotificationDeliveryState, str]] = ..., attempts: _Optional[int] = ..., last_status: _Optional[int] = ..., last_failure: _Optional[str] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
