#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# In containers: header capture for the service $OTEL_SERVICE_NAME as SHOP_CAPTURE says (none, all, or names by comma; web is one), then
# the command that follows.
case ",${SHOP_CAPTURE:-none}," in
*,all,* | *",$OTEL_SERVICE_NAME,"*)
    export SHOP_CAPTURE_HEADERS=1
    export OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS=x-anomaly-type,x-anomaly-label,x-anomaly-root-cause,x-anomaly-msg
    export OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST='x-anomaly-.*'
    ;;
esac
exec "$@"
