# PowerShell completion for pushctl
# Generated from the commands by `python3 dev.py generate`; do not edit.

Register-ArgumentCompleter -Native -CommandName pushctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $below = @{
        '' = @('demo', 'init', 'send', 'explain', 'check', 'tokens', 'bounces', 'channels', 'topics', 'runs', 'config', 'completion', 'help', 'simulate')
        'tokens' = @('check')
        'bounces' = @('report', 'list', 'tokens', 'follow')
        'channels' = @('create', 'list', 'show', 'delete')
        'topics' = @('subscribe', 'unsubscribe')
        'runs' = @('list', 'show', 'resume', 'check', 'prune')
        'config' = @('show', 'path', 'schema')
    }
    $options = @{
        '' = @('--version', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'demo' = @('--folder', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'init' = @('--service', '--environment', '--topic', '--key-file', '--key-id', '--team-id', '--certificate-file', '--service-account-file', '--project-id', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'send' = @('--token', '--fid', '--platform', '--profiles', '--profile', '--tokens', '--format', '--fcm-topic', '--fcm-condition', '--apns-channel', '--where', '--suppress', '--title', '--subtitle', '--body', '--badge', '--sound', '--image', '--data', '--collapse-id', '--ttl', '--priority', '--push-type', '--thread-id', '--category', '--interruption-level', '--relevance-score', '--critical', '--volume', '--message', '--payload', '--live-activity', '--content-state', '--stale-date', '--dismissal-date', '--attributes-type', '--attributes', '--input-push-token', '--input-push-channel', '--live-activity-token', '--credential', '--campaign', '--dry-run', '--validate-only', '--concurrency', '--connections', '--rate', '--retry-for', '--timeout', '--on-unknown', '--stop-if', '--canary', '--bounce-log', '--bounce-log-max-size', '--mask-tokens', '--run', '--max-duration', '--keep-duplicates', '--allow-endpoint', '--yes', '--confirm', '--output', '--fail-on', '--fail-if-empty', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'explain' = @('--search', '--service', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'check' = @('--offline', '--fail-on', '--timeout', '--allow-endpoint', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'tokens' = @('--help')
        'tokens check' = @('--format', '--platform', '--message', '--require-consent', '--lines', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'bounces' = @('--help')
        'bounces report' = @('--by', '--since', '--until', '--campaign', '--run', '--service', '--reason', '--opens', '--sql', '--mask-tokens', '--strict', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'bounces list' = @('--since', '--until', '--campaign', '--run', '--service', '--reason', '--limit', '--fields', '--mask-tokens', '--strict', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'bounces tokens' = @('--registered', '--format', '--suspect', '--since', '--until', '--campaign', '--run', '--service', '--reason', '--mask-tokens', '--strict', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'bounces follow' = @('--lines', '--campaign', '--run', '--service', '--reason', '--mask-tokens', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'channels' = @('--help')
        'channels create' = @('--storage', '--credential', '--dry-run', '--timeout', '--allow-endpoint', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'channels list' = @('--credential', '--timeout', '--allow-endpoint', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'channels show' = @('--credential', '--timeout', '--allow-endpoint', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'channels delete' = @('--yes', '--credential', '--dry-run', '--timeout', '--allow-endpoint', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'topics' = @('--help')
        'topics subscribe' = @('--token', '--fid', '--tokens', '--profiles', '--profile', '--format', '--where', '--suppress', '--credential', '--one-by-one', '--dry-run', '--retry-for', '--timeout', '--allow-endpoint', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'topics unsubscribe' = @('--token', '--fid', '--tokens', '--profiles', '--profile', '--format', '--where', '--suppress', '--credential', '--one-by-one', '--dry-run', '--retry-for', '--timeout', '--allow-endpoint', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs' = @('--help')
        'runs list' = @('--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs show' = @('--mask-tokens', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs resume' = @('--retry-failed', '--on-unknown', '--output', '--fail-on', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs check' = @('--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'runs prune' = @('--older-than', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'config' = @('--help')
        'config show' = @('--output', '--allow-endpoint', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'config path' = @('--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'config schema' = @('--message', '--profiles', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'completion' = @('--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'help' = @('--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
        'simulate' = @('--port', '--host', '--folder', '--environment', '--topic', '--key-file', '--key-id', '--team-id', '--certificate', '--service-account', '--scenario', '--answer', '--delay', '--max-streams', '--record', '--page', '--page-port', '--schema', '--output', '--quiet', '--verbose', '--color', '--progress', '--no-input', '--config', '--debug', '--help')
    }
    $values = @{
        '*:--topic' = 'any'
        '*:--key-id' = 'any'
        '*:--team-id' = 'any'
        '*:--project-id' = 'any'
        '*:--token' = 'any'
        '*:--fid' = 'any'
        '*:--profile' = 'any'
        'bounces tokens:--format' = 'any'
        '*:--fcm-topic' = 'any'
        '*:--fcm-condition' = 'any'
        '*:--apns-channel' = 'any'
        '*:--where' = 'any'
        '*:--title' = 'any'
        '*:--subtitle' = 'any'
        '*:--body' = 'any'
        '*:--badge' = 'any'
        '*:--sound' = 'any'
        '*:--image' = 'any'
        '*:--data' = 'any'
        '*:--collapse-id' = 'any'
        '*:--ttl' = 'any'
        '*:--thread-id' = 'any'
        '*:--category' = 'any'
        '*:--relevance-score' = 'any'
        '*:--volume' = 'any'
        '*:--stale-date' = 'any'
        '*:--dismissal-date' = 'any'
        '*:--attributes-type' = 'any'
        '*:--input-push-channel' = 'any'
        '*:--live-activity-token' = 'any'
        '*:--campaign' = 'any'
        'bounces list:-n' = 'any'
        'bounces follow:-n' = 'any'
        '*:--concurrency' = 'any'
        '*:--connections' = 'any'
        '*:--rate' = 'any'
        '*:--retry-for' = 'any'
        '*:--timeout' = 'any'
        '*:--stop-if' = 'any'
        '*:--canary' = 'any'
        '*:--bounce-log-max-size' = 'any'
        '*:--run' = 'any'
        '*:--max-duration' = 'any'
        '*:--allow-endpoint' = 'any'
        '*:--confirm' = 'any'
        '*:--search' = 'any'
        '*:--lines' = 'any'
        '*:--by' = 'any'
        '*:--since' = 'any'
        '*:--until' = 'any'
        '*:--limit' = 'any'
        '*:--fields' = 'any'
        '*:--older-than' = 'any'
        '*:--port' = 'any'
        '*:--host' = 'any'
        '*:--answer' = 'any'
        '*:--delay' = 'any'
        '*:--max-streams' = 'any'
        '*:--page-port' = 'any'
        '*:--credential' = 'credentials'
        '*:--config' = 'file'
        '*:--key-file' = 'file'
        '*:--certificate-file' = 'file'
        '*:--service-account-file' = 'file'
        'send:--profiles' = 'file'
        'topics subscribe:--profiles' = 'file'
        'topics unsubscribe:--profiles' = 'file'
        '*:--tokens' = 'file'
        '*:--suppress' = 'file'
        'send:--message' = 'file'
        'tokens check:--message' = 'file'
        '*:--payload' = 'file'
        '*:--content-state' = 'file'
        '*:--attributes' = 'file'
        '*:--bounce-log' = 'file'
        '*:--opens' = 'file'
        '*:--registered' = 'file'
        '*:--certificate' = 'file'
        '*:--service-account' = 'file'
        '*:--scenario' = 'file'
        '*:--record' = 'file'
        '*:--folder' = 'folder'
        '*:--reason' = 'reasons'
        '*:--push-type' = 'words alert background complication controls fileprovider liveactivity location mdm pushtotalk voip widgets'
        'init:--service' = 'words apns fcm'
        'bounces report:--service' = 'words apns fcm'
        'bounces list:--service' = 'words apns fcm'
        'bounces tokens:--service' = 'words apns fcm'
        'bounces follow:--service' = 'words apns fcm'
        'explain:--service' = 'words apns fcm google oauth pushctl'
        '*:--color' = 'words auto always never'
        '*:--progress' = 'words auto plain never'
        'send:--fail-on' = 'words bounced faulty never'
        'runs resume:--fail-on' = 'words bounced faulty never'
        'bounces tokens:-o' = 'words csv jsonl'
        'bounces tokens:--output' = 'words csv jsonl'
        'check:--fail-on' = 'words fail warn'
        '*:--priority' = 'words high normal low'
        '*:--platform' = 'words ios android web'
        '*:--on-unknown' = 'words keep resend'
        '*:--storage' = 'words none last'
        '*:--interruption-level' = 'words passive active time-sensitive critical'
        '*:--environment' = 'words production sandbox'
        '*:--live-activity' = 'words start update end'
        'config show:-o' = 'words table json'
        'config path:-o' = 'words table json'
        'config show:--output' = 'words table json'
        'config path:--output' = 'words table json'
        'tokens check:-o' = 'words table json csv github'
        'tokens check:--output' = 'words table json csv github'
        'bounces report:-o' = 'words table json csv markdown html'
        'bounces report:--output' = 'words table json csv markdown html'
        'send:-o' = 'words table json jsonl csv'
        'bounces list:-o' = 'words table json jsonl csv'
        'channels create:-o' = 'words table json jsonl csv'
        'channels list:-o' = 'words table json jsonl csv'
        'channels show:-o' = 'words table json jsonl csv'
        'channels delete:-o' = 'words table json jsonl csv'
        'topics subscribe:-o' = 'words table json jsonl csv'
        'topics unsubscribe:-o' = 'words table json jsonl csv'
        'runs list:-o' = 'words table json jsonl csv'
        'runs resume:-o' = 'words table json jsonl csv'
        'send:--output' = 'words table json jsonl csv'
        'bounces list:--output' = 'words table json jsonl csv'
        'channels create:--output' = 'words table json jsonl csv'
        'channels list:--output' = 'words table json jsonl csv'
        'channels show:--output' = 'words table json jsonl csv'
        'channels delete:--output' = 'words table json jsonl csv'
        'topics subscribe:--output' = 'words table json jsonl csv'
        'topics unsubscribe:--output' = 'words table json jsonl csv'
        'runs list:--output' = 'words table json jsonl csv'
        'runs resume:--output' = 'words table json jsonl csv'
        'runs show:-o' = 'words table json jsonl csv html'
        'runs show:--output' = 'words table json jsonl csv html'
        'check:-o' = 'words table json junit github'
        'check:--output' = 'words table json junit github'
        'explain:-o' = 'words table json markdown'
        'explain:--output' = 'words table json markdown'
        'bounces follow:-o' = 'words table jsonl'
        'simulate:-o' = 'words table jsonl'
        'bounces follow:--output' = 'words table jsonl'
        'simulate:--output' = 'words table jsonl'
        'send:--format' = 'words txt csv tsv jsonl parquet yaml json'
        'tokens check:--format' = 'words txt csv tsv jsonl parquet yaml json'
        'topics subscribe:--format' = 'words txt csv tsv jsonl parquet yaml json'
        'topics unsubscribe:--format' = 'words txt csv tsv jsonl parquet yaml json'
    }
    $arguments = @{
        'init' = 'folder'
        'explain' = 'reasons'
        'check' = 'credentials'
        'tokens check' = 'file'
        'bounces report' = 'any'
        'bounces list' = 'any'
        'bounces tokens' = 'any'
        'bounces follow' = 'file'
        'channels show' = 'any'
        'channels delete' = 'any'
        'topics subscribe' = 'any'
        'topics unsubscribe' = 'any'
        'runs show' = 'runs'
        'runs resume' = 'runs'
        'runs check' = 'runs'
        'completion' = 'words bash zsh fish powershell'
        'help' = 'any'
    }
    $reasons = @('ACCESS_TOKEN_EXPIRED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'ACCESS_TOKEN_TYPE_UNSUPPORTED', 'ACCOUNT_STATE_INVALID', 'ALREADY_EXISTS', 'BILLING_DISABLED', 'BadAuthorizationHeader', 'BadCertificate', 'BadCertificateEnvironment', 'BadChannelId', 'BadCollapseId', 'BadDate', 'BadDeviceToken', 'BadEnvironmentKeyIdInToken', 'BadExpirationDate', 'BadJwtToken', 'BadMessageId', 'BadPath', 'BadPriority', 'BadProviderToken', 'BadRequestParams', 'BadRequestPayload', 'BadTopic', 'BadTtl', 'BadUrgency', 'BadVapidPublicKey', 'BadWebPushRequest', 'BadWebPushTopic', 'CONSUMER_INVALID', 'CONSUMER_SUSPENDED', 'CREDENTIALS_MISSING', 'CannotCreateChannelConfig', 'ChannelNotRegistered', 'ConnectionLost', 'CredentialsRefused', 'DEADLINE_EXCEEDED', 'DeviceTokenNotForTopic', 'Duplicate', 'DuplicateHeaders', 'ExpiredProviderToken', 'ExpiredToken', 'FAILED_PRECONDITION', 'FeatureNotEnabled', 'Forbidden', 'GCP_SUSPENDED', 'IAM_PERMISSION_DENIED', 'INTERNAL', 'INVALID_ARGUMENT', 'IdleTimeout', 'InternalServerError', 'Interrupted', 'InvalidProviderToken', 'InvalidPushType', 'InvalidToken', 'JWT_TOKEN_INVALID', 'MethodNotAllowed', 'MissingAttribute', 'MissingChannelId', 'MissingChannelQueueSize', 'MissingDeviceToken', 'MissingProviderToken', 'MissingPushType', 'MissingToken', 'MissingTopic', 'NOT_FOUND', 'NoAnswer', 'NoConsent', 'NoCredential', 'NotInSegment', 'NotProcessed', 'NotReached', 'OUT_OF_RANGE', 'PERMISSION_DENIED', 'PayloadEmpty', 'PayloadTooLarge', 'QUOTA_EXCEEDED', 'RATE_LIMIT_EXCEEDED', 'RESOURCE_EXHAUSTED', 'RESOURCE_QUOTA_EXCEEDED', 'SECURITY_POLICY_VIOLATED', 'SENDER_ID_MISMATCH', 'SERVICE_DISABLED', 'ServiceUnavailable', 'Shutdown', 'Stopped', 'Suppressed', 'THIRD_PARTY_AUTH_ERROR', 'TOO_MANY_TOPICS', 'TooManyProviderTokenUpdates', 'TooManyRequests', 'TopicDisallowed', 'TopicMismatch', 'UNAUTHENTICATED', 'UNAVAILABLE', 'UNKNOWN', 'UNREGISTERED', 'UNSPECIFIED_ERROR', 'USER_PROJECT_DENIED', 'Unregistered', 'UnrelatedKeyIdInToken', 'VapidPkHashMismatch', 'account_not_found', 'alpn_no_h2', 'bad_audience', 'bad_signature', 'clock_or_lifetime', 'connect_refused_or_timeout', 'deleted_client', 'disabled_client', 'empty_scope', 'exp_missing', 'goaway_before_any_request', 'goaway_with_reason', 'iat_missing', 'invalid_client', 'malformed_assertion', 'non_json_error_body', 'policy', 'refresh_token_revoked', 'response_timeout', 'server_side', 'stream_reset', 'tls_client_cert_rejected', 'tls_verify_failed', 'unauthorized_client', 'unknown_scope_gives_id_token', 'unsupported_grant')

    function Find-Kind($at, $name) {
        if ($values.ContainsKey("*:$name")) { return $values["*:$name"] }
        return $values["${at}:$name"]
    }

    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition -or $wordToComplete -eq '' } |
        Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    $at = ''
    $waiting = $null
    foreach ($word in $words) {
        if ($waiting) { $waiting = $null; continue }
        if ($word -like '--*=*') { continue }
        if ($word -like '-*') {
            if (Find-Kind $at $word) { $waiting = $word }
            continue
        }
        if ($below[$at] -ccontains $word) { $at = "$at $word".Trim() }
    }

    $front = ''
    $begun = $wordToComplete
    $kind = $null
    if ($waiting) {
        $kind = Find-Kind $at $waiting
    } elseif ($begun -like '--*=*') {
        $name, $begun = $begun -split '=', 2
        $front = "$name="
        $kind = Find-Kind $at $name
    } elseif ($begun -like '-*') {
        $found = $options[$at]
    } elseif ($below.ContainsKey($at)) {
        $found = $below[$at]
    } else {
        $kind = $arguments[$at]
    }
    if ($kind) {
        $found = switch -Wildcard ($kind) {
            'words *' { $kind.Substring(6) -split ' ' }
            'reasons' { $reasons }
            'credentials' { & pushctl __complete credentials $words 2>$null }
            'runs' { & pushctl __complete runs $words 2>$null }
        }
    }
    # Nothing found: PowerShell offers files.
    $found | Where-Object { $_ -and $_.StartsWith($begun, 'Ordinal') } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new("$front$_", $_, 'ParameterValue', $_)
    }
}
